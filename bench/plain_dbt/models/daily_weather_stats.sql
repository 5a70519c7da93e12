with hours as (

    select
        *,
        cast(timezone(timezone, timezone('UTC', hour_timestamp)) as date) as date,
        cast(
            timezone(timezone, timezone('UTC', hour_timestamp - interval 1 hour)) as date
        ) as date_of_rain
    from {{ ref('stg_weather') }}

),

temperature_and_wind as (

    select
        location_id,
        timezone,
        date,
        min(temperature_c) as temp_min_c,
        max(temperature_c) as temp_max_c,
        avg(cast(temperature_c as decimal(12, 4))) as temp_avg_c,
        avg(cast(windspeed_kmh as decimal(12, 4))) as avg_windspeed_kmh,
        count(temperature_c) as hours
    from hours
    group by location_id, timezone, date

),

rain as (

    select
        location_id,
        timezone,
        date_of_rain as date,
        sum(cast(precipitation_mm as decimal(12, 4))) as total_precipitation_mm
    from hours
    group by location_id, timezone, date_of_rain

),

days as (

    select
        *,
        epoch(timezone(timezone, cast(date as timestamp))) / 3600 as first_hour,
        epoch(timezone(timezone, cast(date + 1 as timestamp))) / 3600 as next_first_hour
    from temperature_and_wind
    full join rain using (location_id, timezone, date)

)

select
    location_id,
    date,
    cast(round(temp_min_c, 1) as double) as temp_min_c,
    cast(round(temp_max_c, 1) as double) as temp_max_c,
    cast(round(temp_avg_c, 1) as double) as temp_avg_c,
    cast(round(total_precipitation_mm, 1) as double) as total_precipitation_mm,
    cast(round(avg_windspeed_kmh, 1) as double) as avg_windspeed_kmh,
    cast(coalesce(hours, 0) as integer) as hours,
    coalesce(hours, 0) = ceil(next_first_hour) - ceil(first_hour) as is_complete
from days
where
    temp_min_c is not null
    or total_precipitation_mm is not null
    or avg_windspeed_kmh is not null
