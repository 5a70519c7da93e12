{#- Incremental strategy: a merge with the range of `prune_by`, by which DuckLake prunes files. dbt's
    merge opens every file, so each hour's run would cost more than the run before. -#}
{% macro get_incremental_merge_pruned_sql(arguments) -%}
    {%- set column = config.require('prune_by') -%}
    {%- set columns = arguments.dest_columns | map(attribute='name') | list -%}
    {%- set range = run_query(
        'select min(' ~ column ~ '), max(' ~ column ~ ') from ' ~ arguments.temp_relation
    ).rows[0] -%}
    merge into {{ arguments.target_relation }} as kept
    using {{ arguments.temp_relation }} as arrived
        on
            {% for key in arguments.unique_key -%}
            kept.{{ key }} = arrived.{{ key }} and
            {% endfor -%}
            {% if range[0] is none -%}
            false
            {%- else -%}
            kept.{{ column }} between '{{ range[0] }}' and '{{ range[1] }}'
            {%- endif %}
    when matched and (
        {% for name in columns if name not in arguments.unique_key -%}
        kept.{{ name }} is distinct from arrived.{{ name }}{{ ' or ' if not loop.last }}
        {% endfor -%}
    ) then update set
        {% for name in columns if name not in arguments.unique_key -%}
        {{ name }} = arrived.{{ name }}{{ ', ' if not loop.last }}
        {% endfor %}
    when not matched then insert ({{ columns | join(', ') }})
        values ({% for name in columns %}arrived.{{ name }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}
