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

at_the_hour as (

    select
        location_id,
        date,
        {{ statistics_of(weather_variables() | rejectattr('preceding_hour')) }}
        count(temperature_c) as hours
    from hours
    group by location_id, date

),

of_the_hour_before as (

    select
        location_id,
        {{ statistics_of(weather_variables() | selectattr('preceding_hour')) }}
        date_of_rain as date
    from hours
    group by location_id, date_of_rain

)

select
    touched_days.location_id,
    touched_days.date,
    {% for variable in weather_variables() -%}
        {% set source = 'of_the_hour_before' if variable.preceding_hour else 'at_the_hour' -%}
        {% for column in variable.functions -%}
            {{ one_decimal(source ~ '.' ~ column) }} as {{ column }},
        {% endfor -%}
    {% endfor -%}
    cast(coalesce(at_the_hour.hours, 0) as integer) as hours,
    coalesce(at_the_hour.hours, 0) = day_lengths.hours_of_day as is_complete
from touched_days
inner join day_lengths
    on
        touched_days.timezone = day_lengths.timezone
        and touched_days.date = day_lengths.date
left join at_the_hour
    on
        touched_days.location_id = at_the_hour.location_id
        and touched_days.date = at_the_hour.date
left join of_the_hour_before
    on
        touched_days.location_id = of_the_hour_before.location_id
        and touched_days.date = of_the_hour_before.date
