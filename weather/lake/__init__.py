"""The steps around dbt: create, publish, upkeep, backup, restore, rebuild."""
