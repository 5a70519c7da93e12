{#- dbt counts the rows that fail a test; a person on call needs their location, hour and value. -#}
{% macro name_failing_rows(results) -%}
    {%- for result in results if result.node.resource_type == 'test' and result.status in ('fail', 'warn') -%}
        {%- set rows = run_query('select * from (' ~ result.node.compiled_code ~ ') limit 5') -%}
        {%- for row in rows.rows -%}
            {%- set values = [] -%}
            {%- for name in rows.column_names -%}
                {%- do values.append(name ~ '=' ~ row[name]) -%}
            {%- endfor -%}
            {{ log(result.status | upper ~ ' ' ~ result.node.name ~ ': ' ~ values | join(', '), info=True) }}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}
