{% test between(model, column_name, lowest=none, highest=none, key='hour_timestamp') %}
select
    location_id,
    {{ key }},
    {{ column_name }}
from {{ model }}
where
    false
    {% if lowest is not none %}or {{ column_name }} < {{ lowest }}{% endif %}
    {% if highest is not none %}or {{ column_name }} > {{ highest }}{% endif %}
{% endtest %}
