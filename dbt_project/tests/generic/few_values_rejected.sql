{#- Share of rejected values among the values that readers have not seen yet. A value that a later
    response has corrected counts as accepted. A value in whose place a known value was kept counts as
    rejected. The rejections are those of the whole table, because readers may know of one from an earlier
    response that had the same value. Several of one hour and variable count once. -#}
{% test few_values_rejected(model, table, staged, most_percent) %}
with unseen as (

    select * from {{ get_where_subquery(staged) }}

),

kept as (

    select distinct
        location_id,
        hour_timestamp,
        variable
    from {{ kept_values() }}

),

accepted as (

    select
        {% for variable in weather_variables() -%}
        count({{ variable.column }}){{ ' + ' if not loop.last }}
        {%- endfor %} as accepted_values
    from unseen

),

rejected as (

    select
        rejections.*,
        count(distinct (
            rejections.location_id, rejections.hour_timestamp, rejections.variable
        )) over () as rejected_values
    from {{ table }} as rejections
    inner join unseen
        on
            rejections.location_id = unseen.location_id
            and rejections.hour_timestamp = unseen.hour_timestamp
    left join kept
        on
            rejections.location_id = kept.location_id
            and rejections.hour_timestamp = kept.hour_timestamp
            and rejections.variable = kept.variable
    where
        kept.variable is not null
        {% for variable in weather_variables() | map(attribute='column') -%}
        or (rejections.variable = '{{ variable }}' and unseen.{{ variable }} is null)
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
