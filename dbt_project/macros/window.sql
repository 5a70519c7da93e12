{#- Read the environment only while executing. dbt parses a model again if an environment variable
    that was read while parsing has changed. -#}

{% macro window_edge(name) -%}
    {%- set moment = env_var('WEATHER_WINDOW_' ~ name) if execute else '1970-01-01T00:00:00+00:00' -%}
    cast(timestamptz '{{ moment }}' at time zone 'UTC' as timestamp)
{%- endmacro %}

{% macro window_key() -%}
    {%- set edges = [] -%}
    {%- for name in ['START', 'END'] -%}
        {%- set moment = modules.datetime.datetime.fromisoformat(env_var('WEATHER_WINDOW_' ~ name)) -%}
        {%- do edges.append(moment.astimezone(modules.pytz.utc).strftime('%Y%m%dT%H%MZ')) -%}
    {%- endfor -%}
    {{ edges | join('_') }}
{%- endmacro %}

{#- Whether an hour is in this run's window, or at most `margin_hours` outside. -#}
{% macro within_window(hour, margin_hours=0) -%}
    {{ hour }} >= {{ window_edge('START') }} - interval {{ margin_hours }} hour
    and {{ hour }} < {{ window_edge('END') }} + interval {{ margin_hours }} hour
{%- endmacro %}
