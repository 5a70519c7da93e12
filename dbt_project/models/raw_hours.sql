{{ config(materialized='ephemeral') }}

{{ run_hours() }}
