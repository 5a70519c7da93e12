"""Commands of the lake, around dbt's models: create, publish, upkeep, backup, restore, rebuild."""
