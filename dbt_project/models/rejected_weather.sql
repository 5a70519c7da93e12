{{ config(
    materialized='incremental',
    incremental_strategy='merge_pruned',
    unique_key=['location_id', 'hour_timestamp', 'variable', 'value'],
    prune_by='hour_timestamp',
) }}

-- depends_on: {{ ref('stg_weather') }}
-- The share of rejected values is measured against what was staged.

{% for variable in weather_variables() %}
    select
        location_id,
        hour_timestamp,
        '{{ variable.column }}' as variable,
        {{ variable.column }} as value,
        '{{ impossible_reason(variable) }}' as reason
    from {{ ref('raw_hours') }}
    where not {{ is_possible(variable) }}
    {{ 'union' if not loop.last }}
{% endfor %}
