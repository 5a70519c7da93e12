"""The steps around dbt: create the lake, publish a snapshot of it, keep it small."""
