{% test hours_fit_the_day(model) %}
with days as (

    select * from {{ model }}

),

locations as (

    select distinct
        location_id,
        timezone
    from {{ ref('raw_hours') }}

)

select
    days.location_id,
    days.date,
    days.hours,
    {{ hours_of_local_day('days.date', 'locations.timezone') }} as hours_of_the_day
from days
inner join locations on days.location_id = locations.location_id
where days.hours > {{ hours_of_local_day('days.date', 'locations.timezone') }}
{% endtest %}
