{#- Hooks that run after an invocation of dbt, with its results. -#}

{#- Log the rows that failed a test, because dbt logs only their number. -#}
{% macro log_failing_rows(results) -%}
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

{#- Log what to do after a commit conflict. The second message is SQLite's. -#}
{% macro log_commit_conflicts(results) -%}
    {%- for result in results if result.node.resource_type == 'model' and result.status == 'error' -%}
        {%- if 'Transaction conflict' in (result.message or '') or 'database is locked' in (result.message or '') -%}
            {{ log('ERROR ' ~ result.node.name ~ ': another run or step wrote to the lake at the same time,'
                ~ ' so this model was not stored. Build the model again after the other has ended, as the'
                ~ ' next try of the task does.', info=True) }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- Store the number of passed and failed tests of each model for `publish`. A pod's log is deleted with
    the pod. Each model has one object, which the next run replaces. -#}
{% macro store_test_report(results) -%}
    {%- set counts = {} -%}
    {%- for result in results if result.node.resource_type == 'test' -%}
        {%- set model = (result.node.attached_node or 'project').split('.')[-1] -%}
        {%- set tests = counts.setdefault(model, {}) -%}
        {%- set status = result.status ~ '' -%}
        {%- do tests.update({status: tests.get(status, 0) + 1}) -%}
    {%- endfor -%}
    {%- for model, tests in counts.items() -%}
        {%- do run_query(
            "copy (select '" ~ model ~ "' as model"
            ~ ", '" ~ env_var('WEATHER_WINDOW_START') ~ "' as window_start"
            ~ ", '" ~ env_var('WEATHER_WINDOW_END') ~ "' as window_end"
            ~ ", " ~ tests ~ " as tests)"
            ~ " to 's3://" ~ env_var('WEATHER_BUCKET', 'weather')
            ~ "/transformed/reports/" ~ model ~ ".json' (format json)"
        ) -%}
    {%- endfor -%}
{%- endmacro %}
