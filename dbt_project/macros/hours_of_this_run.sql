{#- The hours of the answers that this run reads, as the service sent them. A variable that an answer
    does not have, because it was not asked for at the time, is null. -#}
{% macro hours_of_this_run() -%}
    select
        location_id,
        timezone,
        unnest(cast(hourly[1] as timestamp[])) as hour_timestamp,
        -- Adding zero turns -0.0 into 0.0.
        {% for variable in weather_variables() -%}
        unnest(cast(hourly[{{ loop.index + 1 }}] as double[])) + 0 as {{ variable.column }},
        {% endfor -%}
        fetched_at
    from (
        select
            location.id as location_id,
            -- A renamed or corrected time zone may stand beside the old one; a day is cut by one only.
            arg_max(location.timezone, fetched_at) over (partition by location.id) as timezone,
            fetched_at at time zone 'UTC' as fetched_at,
            -- A cast to a struct would fail where a variable is missing.
            json_extract(answer, [
                '$.hourly.time',
                {% for variable in weather_variables() -%}
                '$.hourly.{{ variable.source_name }}'{{ ',' if not loop.last }}
                {% endfor -%}
            ]) as hourly
        from {{ answers_of_this_run() }}
        where accepted
    ) as accepted_answers
{%- endmacro %}
