{{ config(
    materialized='incremental',
    incremental_strategy='merge_pruned',
    unique_key=['location_id', 'date'],
    prune_by='date',
    post_hook="{{ delete_days_without_value() }}",
) }}

with arrived as (

    select
        location_id,
        timezone,
        hour_timestamp
    from {{ ref('raw_hours') }}

),

locations as (

    select distinct
        location_id,
        timezone
    from arrived

),

staged as (

    select
        staged.*,
        locations.timezone
    from {{ ref('stg_weather') }} as staged
    inner join locations on staged.location_id = locations.location_id
    where {{ within_window('staged.hour_timestamp', margin_hours=50) }}

),

local_dates as (

    {{ local_dates('staged') }}

),

touched_days as (

    select distinct
        arrived.location_id,
        arrived.timezone,
        unnest([local_dates.date, local_dates.date_of_rain]) as date
    from arrived
    inner join local_dates
        on
            arrived.timezone = local_dates.timezone
            and arrived.hour_timestamp = local_dates.hour_timestamp

),

day_lengths as (

    {{ day_lengths('touched_days') }}

),

hours as (

    select
        staged.*,
        local_dates.date,
        local_dates.date_of_rain
    from staged
    inner join local_dates
        on
            staged.timezone = local_dates.timezone
            and staged.hour_timestamp = local_dates.hour_timestamp

),

temperature_and_wind as (

    select
        location_id,
        date,
        min(temperature_c) as temp_min_c,
        max(temperature_c) as temp_max_c,
        avg({{ exactly('temperature_c') }}) as temp_avg_c,
        avg({{ exactly('windspeed_kmh') }}) as avg_windspeed_kmh,
        count(temperature_c) as hours
    from hours
    group by location_id, date

),

rain as (

    select
        location_id,
        date_of_rain as date,
        sum({{ exactly('precipitation_mm') }}) as total_precipitation_mm
    from hours
    group by location_id, date_of_rain

)

select
    touched_days.location_id,
    touched_days.date,
    {{ one_decimal('temperature_and_wind.temp_min_c') }} as temp_min_c,
    {{ one_decimal('temperature_and_wind.temp_max_c') }} as temp_max_c,
    {{ one_decimal('temperature_and_wind.temp_avg_c') }} as temp_avg_c,
    {{ one_decimal('rain.total_precipitation_mm') }} as total_precipitation_mm,
    {{ one_decimal('temperature_and_wind.avg_windspeed_kmh') }} as avg_windspeed_kmh,
    cast(coalesce(temperature_and_wind.hours, 0) as integer) as hours,
    coalesce(temperature_and_wind.hours, 0) = day_lengths.hours_of_day as is_complete
from touched_days
inner join day_lengths
    on
        touched_days.timezone = day_lengths.timezone
        and touched_days.date = day_lengths.date
left join temperature_and_wind
    on
        touched_days.location_id = temperature_and_wind.location_id
        and touched_days.date = temperature_and_wind.date
left join rain
    on
        touched_days.location_id = rain.location_id
        and touched_days.date = rain.date
