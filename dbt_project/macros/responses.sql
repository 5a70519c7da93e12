{#- The responses in raw/ that a run reads. -#}

{#- The responses of the run's window, so that an hour costs the same however large raw/ is. A rebuild
    sets a pattern of several windows. `read_json` fails if no file matches, so without a response the
    relation is empty. -#}
{% macro run_responses() -%}
    {%- set columns -%}
        {
            location: 'struct(id varchar, timezone varchar)',
            fetched_at: 'timestamptz',
            accepted: 'boolean',
            answer: 'json',
            hours: 'json'
        }
    {%- endset -%}
    {%- set objects = 's3://' ~ env_var('WEATHER_BUCKET', 'weather') ~ '/raw/'
        ~ (env_var('WEATHER_RAW_WINDOWS', '') or window_key()) ~ '/*/*.json'
        if execute else '' -%}
    {%- if execute and not run_query("select 1 from glob('" ~ objects ~ "') limit 1").rows -%}
        (
            select
                null::struct(id varchar, timezone varchar) as location,
                null::timestamptz as fetched_at,
                false as accepted,
                null::json as answer,
                null::json as hours
            where false
        )
    {%- else -%}
        read_json('{{ objects }}', format = 'newline_delimited', columns = {{ columns }})
    {%- endif -%}
{%- endmacro %}

{#- Hours of the accepted responses, one row for each response and hour. A variable that a response
    lacks is null. -#}
{% macro run_hours() -%}
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
            -- After a time zone was corrected, old and new responses differ, and a day needs one zone.
            arg_max(location.timezone, fetched_at) over (partition by location.id) as timezone,
            fetched_at at time zone 'UTC' as fetched_at,
            -- Ingest adds `hours` to responses that are not in Open-Meteo's format.
            -- A cast to a struct fails if a variable is missing.
            json_extract(coalesce(hours, answer), [
                '$.hourly.time',
                {% for variable in weather_variables() -%}
                '$.hourly.{{ variable.source_name }}'{{ ',' if not loop.last }}
                {% endfor -%}
            ]) as hourly
        from {{ run_responses() }}
        where accepted
    ) as accepted_responses
{%- endmacro %}
