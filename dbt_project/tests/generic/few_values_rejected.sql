{#- Of the values that readers have not seen yet: a value that a later answer has put right since
    counts as accepted. -#}
{% test few_values_rejected(model, staged, most_percent) %}
with accepted as (

    select
        {% for variable in var('possible') -%}
        count({{ variable }}){{ ' + ' if not loop.last }}
        {%- endfor %} as accepted_values
    from {{ get_where_subquery(staged) }}

),

rejected as (

    select
        rejections.*,
        count(*) over () as rejected_values
    from (select * from {{ model }}) as rejections
    inner join {{ staged }} as staged
        on
            rejections.location_id = staged.location_id
            and rejections.hour_timestamp = staged.hour_timestamp
    where
        {% for variable in var('possible') -%}
        (rejections.variable = '{{ variable }}' and staged.{{ variable }} is null)
        {{ ' or ' if not loop.last }}
        {%- endfor %}

)

select
    rejected.location_id,
    rejected.hour_timestamp,
    rejected.variable,
    rejected.value,
    round(
        100.0 * rejected.rejected_values / (rejected.rejected_values + accepted.accepted_values), 2
    ) as rejected_percent
from rejected
cross join accepted
where
    100 * rejected.rejected_values
    > {{ most_percent }} * (rejected.rejected_values + accepted.accepted_values)
order by rejected.location_id, rejected.hour_timestamp
{% endtest %}
