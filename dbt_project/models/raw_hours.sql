{{ config(materialized='ephemeral') }}

with accepted_answers as (

    select
        location.id as location_id,
        -- A renamed or corrected time zone may stand beside the old one; a day is cut by one only.
        arg_max(location.timezone, fetched_at) over (partition by location.id) as timezone,
        fetched_at at time zone 'UTC' as fetched_at,
        cast(
            answer -> 'hourly' as struct(
                time timestamp[],
                temperature_2m double[],
                precipitation double[],
                wind_speed_10m double[]
            )
        ) as hourly
    from {{ answers_of_this_run() }}
    where accepted

)

select
    location_id,
    timezone,
    unnest(hourly.time) as hour_timestamp,
    -- Adding zero turns -0.0 into 0.0.
    unnest(hourly.temperature_2m) + 0 as temperature_c,
    unnest(hourly.precipitation) + 0 as precipitation_mm,
    unnest(hourly.wind_speed_10m) + 0 as windspeed_kmh,
    fetched_at
from accepted_answers
