{#- The answers that ingest stored for this run's window and no others, so that an hour costs the
    same however many came before; only a rebuild names a pattern of many windows. A run that
    received nothing has no object to read. -#}
{% macro answers_of_this_run() -%}
    {%- set columns -%}
        {
            location: 'struct(id varchar, timezone varchar)',
            fetched_at: 'timestamptz',
            accepted: 'boolean',
            answer: 'json'
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
                null::json as answer
            where false
        )
    {%- else -%}
        read_json('{{ objects }}', format = 'newline_delimited', columns = {{ columns }})
    {%- endif -%}
{%- endmacro %}
