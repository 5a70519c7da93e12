{{ config(
    materialized='incremental',
    incremental_strategy='merge_pruned',
    unique_key=['location_id', 'hour_timestamp'],
    prune_by='hour_timestamp',
    partitioned_by=['year(hour_timestamp)', 'month(hour_timestamp)'],
    pre_hook="{{ store_kept_values() }}",
) }}

with received as (

    select * from {{ ref('raw_hours') }}

),

newest as (

    {{ newest_values('received') }}

)

select
    location_id,
    hour_timestamp,
    {% for variable in weather_variables() -%}
        {{ variable.column }},
    {% endfor -%}
    fetched_at
from newest
where is_changed
