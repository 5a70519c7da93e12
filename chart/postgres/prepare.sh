#!/bin/sh
# Creates the database cluster if it is missing, then applies roles.sql. Runs at every start.
# Needs PGDATA, PGHOST (the socket's folder), and the passwords that roles.sql names.
set -eu
here=$(dirname "$0")
for name in AIRFLOW_PASSWORD LAKE_WRITER_PASSWORD LAKE_READER_PASSWORD; do
    printenv "$name" > /dev/null || {
        echo "postgres: $name is missing; add this key to the Secret weather-postgres" >&2
        exit 64
    }
done

# Created beside its place, so that an interrupted start leaves no incomplete cluster.
if [ ! -d "$PGDATA" ]; then
    echo "postgres: creating a database cluster in $PGDATA"
    rm -rf "$PGDATA.unfinished"
    initdb --pgdata="$PGDATA.unfinished" --username=postgres --encoding=UTF8 --locale=C.UTF-8 \
        --auth-local=trust --auth-host=reject > /dev/null
    mv "$PGDATA.unfinished" "$PGDATA"
fi
# Kubernetes may open the folder to the pod's group, and then Postgres does not start.
chmod 0700 "$PGDATA"

trap 'exit 143' TERM INT
pg_ctl start --wait --timeout=600 --silent --options="-c listen_addresses='' \
    -c unix_socket_directories='$PGHOST' -c hba_file='$here/pg_hba.conf'"
trap 'pg_ctl stop --mode=fast --silent' EXIT
psql --no-psqlrc --quiet --username=postgres --dbname=postgres --file="$here/roles.sql"
echo "postgres: roles, databases and passwords are applied"
