{#- What the tests of each model came to, stored for `publish`: a pod's log goes with the pod. One
    object a model, in place of the one before, so that there are never more of them. -#}
{% macro report_tests(results) -%}
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
