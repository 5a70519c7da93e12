{#- A day has at most as many hours as its local day: 23, 24 or 25. -#}
{% test hours_at_most_day_length(model) %}
with locations as (

    select distinct
        location_id,
        timezone
    from {{ ref('raw_hours') }}

),

days as (

    select *
    from {{ model }}
    inner join locations using (location_id)

),

day_lengths as (

    {{ day_lengths('days') }}

)

select
    days.location_id,
    days.date,
    days.hours,
    day_lengths.hours_of_day
from days
inner join day_lengths
    on
        days.timezone = day_lengths.timezone
        and days.date = day_lengths.date
where days.hours > day_lengths.hours_of_day
{% endtest %}
