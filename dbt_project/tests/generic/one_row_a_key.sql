{#- A new row may have the key of an old row, so the new keys are counted in the whole table. -#}
{% test one_row_a_key(model, table, key) %}
select
    {{ key | join(', ') }},
    count(*) as rows_of_this_key
from {{ table }}
semi join {{ model }} using ({{ key | join(', ') }})
group by {{ key | join(', ') }}
having count(*) > 1
{% endtest %}
