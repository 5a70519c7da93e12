{% test newest_hour_is_recent(model, within_hours) %}
select
    location_id,
    max(hour_timestamp) as newest_hour,
    {{ window_edge('END') }} as window_end
from {{ model }}
where temperature_c is not null
group by location_id
having max(hour_timestamp) < {{ window_edge('END') }} - interval {{ within_hours }} hour
{% endtest %}
