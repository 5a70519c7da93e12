{#- List values that were kept because newer responses lack them, in this run's window. -#}
{% test newest_responses_have_values(model) %}
select
    kept.location_id,
    kept.hour_timestamp,
    kept.variable,
    kept.fetched_at as value_fetched_at
from {{ kept_values() }} as kept
semi join {{ model }} using (location_id, hour_timestamp)
where {{ within_window('kept.hour_timestamp') }}
{% endtest %}
