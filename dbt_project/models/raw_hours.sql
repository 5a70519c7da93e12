{{ config(materialized='ephemeral') }}

{{ hours_of_this_run() }}
