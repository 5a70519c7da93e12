{#- dbt hands every data test the relation that this macro makes of its model. Tests look at the
    rows that readers have not seen yet, and at all of those, whichever run wrote them: what failed
    once is tested again until it is mended, and an hour's tests cost the same in ten years. -#}
{% macro get_where_subquery(relation) -%}
    {%- do note_what_is_tested() -%}
    {%- if execute -%}
        (
            select * from {{ relation }}
            where snapshot_id > {{ published_snapshot_id() }}
        ) unpublished
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}

{#- The snapshot that `publish` has named; -1 before the first, and if it is a snapshot of another
    lake: readers have seen none of this one's rows. Older versions did not name the lake. -#}
{% macro published_snapshot_id() -%}
    {%- set object = 's3://' ~ env_var('WEATHER_BUCKET', 'weather') ~ '/transformed/published.json' -%}
    {#- Only a pattern makes glob() ask the store whether the object exists. -#}
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
