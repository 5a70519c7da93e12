"""Environment variables of dbt in a run, in both runtimes."""

DBT_ENVIRONMENT = {
    # dbt's unit tests prove the SQL before a release, on made-up rows; a run has real ones.
    "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test",
    # A test of two models runs with the later one, which can see both.
    "DBT_INDIRECT_SELECTION": "buildable",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DBT_VERSION_CHECK": "false",
    "DBT_USE_COLORS": "false",
    # The same lines go to the task's log already.
    "DBT_LOG_LEVEL_FILE": "none",
    # Nothing reads dbt's reports of a run, and writing them takes a quarter of a second.
    "DBT_WRITE_JSON": "false",
}
