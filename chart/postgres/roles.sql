-- Idempotent: roles, databases and rights. Passwords come from the environment.
\set ON_ERROR_STOP on
\set VERBOSITY terse
\getenv airflow_password AIRFLOW_PASSWORD
\getenv lake_writer_password LAKE_WRITER_PASSWORD
\getenv lake_reader_password LAKE_READER_PASSWORD

-- The log must not show the password of a failed statement.
SET log_min_error_statement = 'panic';
SET log_statement = 'none';

SELECT format('CREATE ROLE %I', name)
FROM (VALUES ('airflow'), ('lake_writer'), ('lake_reader')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

ALTER ROLE airflow LOGIN PASSWORD :'airflow_password';
ALTER ROLE lake_writer LOGIN PASSWORD :'lake_writer_password';
ALTER ROLE lake_reader LOGIN PASSWORD :'lake_reader_password';

SELECT format('CREATE DATABASE %I OWNER %I', name, owner)
FROM (VALUES ('airflow', 'airflow'), ('lake', 'lake_writer')) AS wanted (name, owner)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name)
\gexec

REVOKE ALL ON DATABASE airflow, lake FROM PUBLIC;
GRANT CONNECT ON DATABASE lake TO lake_reader;

\connect lake
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO lake_reader;
-- Existing tables and future ones.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO lake_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE lake_writer IN SCHEMA public GRANT SELECT ON TABLES TO lake_reader;
