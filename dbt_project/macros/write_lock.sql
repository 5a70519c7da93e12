{#- Pre-hook of each model: make overlapping transactions on the model's table conflict.

    DuckLake commits two merges that insert the same new key (duckdb/ducklake#906), and only rejects a
    transaction whose table another one has deleted from. So each transaction updates the one row of
    the model's lock table. The hook also makes dbt open the transaction before it reads the table.
    A new or fully refreshed table needs no lock, because creating or renaming a table conflicts.
    There dbt-duckdb could not partition the table in a transaction that a hook has opened. -#}
{% macro take_write_lock() -%}
    {%- if execute and is_incremental() -%}
        {%- set lock = 'lake.main.' ~ this.identifier ~ '_write_lock' -%}
        {%- do run_query('create table if not exists ' ~ lock ~ ' as select 0::bigint as transactions') -%}
        update {{ lock }} set transactions = transactions + 1;
        {{ merge_duplicate_rows() }}
    {%- endif -%}
{%- endmacro %}

{#- Merge the rows of each duplicate key: of each column, the value fetched last. The window and the
    unpublished rows are searched, because the test one_row_a_key reads these and would fail for ever. -#}
{% macro merge_duplicate_rows() -%}
    {%- set keys = config.require('unique_key') -%}
    {%- set names = adapter.get_columns_in_relation(this) | map(attribute='name') | list -%}
    {%- set newest = '(fetched_at, snapshot_id)' if 'fetched_at' in names else 'snapshot_id' -%}
    {%- set column = config.require('prune_by') -%}
    {%- set unpublished = run_query(
        'select min(' ~ column ~ '), max(' ~ column ~ ') from ' ~ this
        ~ ' where snapshot_id > ' ~ published_snapshot_id()
    ).rows[0] -%}
    {#- Literals, because DuckLake prunes files by these. -#}
    {%- set duplicates -%}
        select {{ keys | join(', ') }}, count(*) as row_count
        from {{ this }}
        where
            ({{ within_window(column, margin_hours=50) }})
            {% if unpublished[0] is not none -%}
            or {{ column }} between '{{ unpublished[0] }}' and '{{ unpublished[1] }}'
            {%- endif %}
        group by {{ keys | join(', ') }}
        having count(*) > 1
    {%- endset -%}
    {%- set found = run_query(duplicates) -%}
    {%- if found.rows -%}
        {%- for row in found.rows[:5] -%}
            {{ log('MERGED ' ~ row['row_count'] ~ ' rows of one key in ' ~ this.identifier ~ ': '
                ~ row.values()[:-1] | join(', '), info=True) }}
        {%- endfor -%}
        create or replace temporary table one_row_a_key as
        select
            {{ keys | join(', ') }},
            {% for name in names if name not in keys -%}
            arg_max({{ name }}, {{ newest }}) as {{ name }}{{ ', ' if not loop.last }}
            {% endfor %}
        from {{ this }}
        semi join ({{ duplicates }}) as duplicates using ({{ keys | join(', ') }})
        group by {{ keys | join(', ') }};
        delete from {{ this }}
        where ({{ keys | join(', ') }}) in (select ({{ keys | join(', ') }}) from one_row_a_key);
        insert into {{ this }} ({{ names | join(', ') }})
        select {{ names | join(', ') }} from one_row_a_key;
    {%- endif -%}
{%- endmacro %}
