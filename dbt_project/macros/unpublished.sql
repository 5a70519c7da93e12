{#- dbt calls this macro for the relation that a data test reads. Tests read all unpublished rows,
    whichever run wrote them. So rows that failed once are tested again until they are corrected, and
    the tests of an hour cost the same however large the lake is. -#}
{% macro get_where_subquery(relation) -%}
    {%- do remember_insertions_before_tests() -%}
    {%- if execute -%}
        (
            select * from {{ relation }}
            where snapshot_id > {{ published_snapshot_id() }}
        ) unpublished
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}

{#- The published snapshot. -1 before the first one, and if another lake is published, because readers
    have seen no row of this one. Older versions did not store the lake's id. -#}
{% macro published_snapshot_id() -%}
    {%- set object = 's3://' ~ env_var('WEATHER_BUCKET', 'weather') ~ '/transformed/published.json' -%}
    {#- glob() checks that an object exists only if its argument is a pattern. -#}
    {%- if run_query("select 1 from glob('" ~ object ~ "*')").rows -%}
        {{ run_query(
            "select if(snapshot_id > (select max(snapshot_id) from lake.snapshots())"
            ~ " or lake <> (" ~ lake_id() ~ "), -1, snapshot_id)"
            ~ " from read_json('" ~ object ~ "', columns = {snapshot_id: 'bigint', lake: 'varchar'})"
        ).rows[0][0] }}
    {%- else -%}
        -1
    {%- endif -%}
{%- endmacro %}
