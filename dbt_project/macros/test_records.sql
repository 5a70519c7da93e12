{#- Test records name the snapshots that have passed all tests (weather/lake/tested_snapshots.py). -#}

{#- The last snapshot that inserted rows into each table. `publish` runs the same query
    (weather/lake/dbt_plugin.py). -#}
{% macro last_insertions() -%}
    select
        table_name,
        max(snapshot_id) as last_insertion
    from query(memory.main.insertions_query())
    group by table_name
{%- endmacro %}

{#- Remember the tables' last insertions before a model's first test of this invocation. They are in a
    table of DuckDB's memory, because macros share no state between nodes. -#}
{% macro remember_insertions_before_tests() -%}
    {%- if execute and model.resource_type == 'test' and model.attached_node -%}
        {%- set tested_model = model.attached_node.split('.')[-1] -%}
        {%- do run_query(
            "create table if not exists memory.main.before_tests"
            ~ " (invocation varchar, model varchar, table_name varchar, last_insertion bigint)"
        ) -%}
        {%- set this_model = "invocation = '" ~ invocation_id ~ "' and model = '" ~ tested_model ~ "'" -%}
        {%- if not run_query("select 1 from memory.main.before_tests where " ~ this_model ~ " limit 1").rows -%}
            {%- do run_query(
                "insert into memory.main.before_tests select '" ~ invocation_id ~ "', '" ~ tested_model
                ~ "', table_name, last_insertion from (" ~ last_insertions() ~ ") union all select '"
                ~ invocation_id ~ "', '" ~ tested_model ~ "', null, null"
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Store a test record for each model whose tests have all passed. Without a record: a model of which
    only some tests ran, and one whose tables got rows while its tests ran, which some tests missed. -#}
{% macro store_test_records(results) -%}
    {%- set passed = {} -%}
    {%- for result in results if result.node.resource_type == 'test' and result.status in ('pass', 'warn') -%}
        {%- do passed.update({result.node.attached_node: passed.get(result.node.attached_node, 0) + 1}) -%}
    {%- endfor -%}
    {%- for unique_id, count in passed.items() if unique_id in graph.nodes -%}
        {%- set tests = graph.nodes.values() | selectattr('resource_type', 'equalto', 'test')
            | selectattr('attached_node', 'equalto', unique_id) | list -%}
        {%- if count == tests | length -%}
            {%- do store_test_record(graph.nodes[unique_id]) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{% macro store_test_record(node) -%}
    {%- set tables = [node.name] -%}
    {%- for parent in node.depends_on.nodes
        if parent in graph.nodes and graph.nodes[parent].config.materialized != 'ephemeral' -%}
        {%- do tables.append(graph.nodes[parent].name) -%}
    {%- endfor -%}
    {%- set rows = run_query(
        "select table_name, coalesce(now.last_insertion, 0), coalesce(earlier.last_insertion, 0)"
        ~ " from (select unnest(" ~ tables ~ ") as table_name)"
        ~ " left join (" ~ last_insertions() ~ ") as now using (table_name)"
        ~ " left join (select * from memory.main.before_tests where invocation = '" ~ invocation_id
        ~ "' and model = '" ~ node.name ~ "') as earlier using (table_name)"
    ).rows -%}
    {%- set covered = {} -%}
    {%- for row in rows if row[1] == row[2] -%}
        {%- do covered.update({row[0]: row[1] | int}) -%}
    {%- endfor -%}
    {%- if covered | length == tables | length -%}
        {%- do run_query(
            "copy (select '" ~ node.name ~ "' as model, " ~ covered ~ " as tables)"
            ~ " to 's3://" ~ env_var('WEATHER_BUCKET', 'weather') ~ "/transformed/tested/"
            ~ run_query(lake_id()).rows[0][0] ~ "/" ~ node.name ~ "-" ~ invocation_id
            ~ ".json' (format json)"
        ) -%}
    {%- else -%}
        {{ log('Rows were inserted while the tests of ' ~ node.name ~ ' ran. publish skips them until'
            ~ ' the tests of the run that inserted them have passed.', info=True) }}
    {%- endif -%}
{%- endmacro %}

{#- The lake's id, which its backups share. -#}
{% macro lake_id() -%}
    from query(memory.main.lake_id_query())
{%- endmacro %}
