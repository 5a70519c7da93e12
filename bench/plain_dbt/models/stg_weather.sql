with responses as (

    select
        location.id as location_id,
        location.timezone as timezone,
        fetched_at at time zone 'UTC' as fetched_at,
        answer.hourly as hourly
    from read_json(
        's3://{{ env_var("WEATHER_BUCKET") }}/raw/*/*/*.json',
        format = 'newline_delimited',
        columns = {
            location: 'struct(id varchar, timezone varchar)',
            fetched_at: 'timestamptz',
            accepted: 'boolean',
            answer: 'struct(hourly struct(
                time timestamp[],
                temperature_2m double[],
                precipitation double[],
                wind_speed_10m double[]
            ))'
        }
    )
    where accepted

),

hours as (

    select
        location_id,
        timezone,
        unnest(hourly.time) as hour_timestamp,
        unnest(hourly.temperature_2m) as temperature_c,
        unnest(hourly.precipitation) as precipitation_mm,
        unnest(hourly.wind_speed_10m) as windspeed_kmh,
        fetched_at
    from responses

)

select
    location_id,
    timezone,
    hour_timestamp,
    case when temperature_c between -90 and 60 then temperature_c end as temperature_c,
    case when precipitation_mm between 0 and 500 then precipitation_mm end as precipitation_mm,
    case when windspeed_kmh between 0 and 410 then windspeed_kmh end as windspeed_kmh,
    fetched_at
from hours
qualify
    row_number() over (
        partition by location_id, hour_timestamp order by fetched_at desc
    ) = 1
