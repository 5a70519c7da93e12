"""Profile arguments and environment variables for dbt, in both runtimes."""

PROFILE = ("--profile", "weather", "--target", "lake")
"""Profile and target with the names that Cosmos uses, so that dbt reuses the partial parse."""

DBT_ENVIRONMENT = {
    # dbt's unit tests check the SQL before a release, on fixed rows.
    "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test",
    # A test of two models runs with the later model, when both exist.
    "DBT_INDIRECT_SELECTION": "buildable",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DBT_VERSION_CHECK": "false",
    "DBT_USE_COLORS": "false",
    # The same lines go to the task's log already.
    "DBT_LOG_LEVEL_FILE": "none",
    # Nothing reads dbt's JSON artifacts, and writing them takes 0.25 s.
    "DBT_WRITE_JSON": "false",
}
