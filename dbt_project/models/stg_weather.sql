{{ config(
    materialized='incremental',
    incremental_strategy='merge_pruned',
    unique_key=['location_id', 'hour_timestamp'],
    prune_by='hour_timestamp',
    partitioned_by=['year(hour_timestamp)', 'month(hour_timestamp)'],
) }}

with arrived as (

    select
        location_id,
        hour_timestamp,
        {{ possible_or_null('temperature_c') }} as temperature_c,
        {{ possible_or_null('precipitation_mm') }} as precipitation_mm,
        {{ possible_or_null('windspeed_kmh') }} as windspeed_kmh,
        fetched_at
    from {{ ref('raw_hours') }}
    qualify
        row_number() over (
            partition by location_id, hour_timestamp order by fetched_at desc
        ) = 1

)

select arrived.*
from arrived
{% if is_incremental() %}
    left join {{ this }} as kept
        on
            arrived.location_id = kept.location_id
            and arrived.hour_timestamp = kept.hour_timestamp
            and {{ within_window('kept.hour_timestamp') }}
    where kept.fetched_at is null or kept.fetched_at < arrived.fetched_at
{% endif %}
