{#- Run first in each model's transaction. DuckLake refuses the commit of a transaction whose table
    another one has deleted from meanwhile, but lets two merges that only insert the same new key
    both commit (duckdb/ducklake#906). So each transaction replaces the one row of a small table, one
    for each model: of two that overlap, the second is refused. The hook also makes dbt open the
    transaction before it reads the table that it merges into.
    A new or fully refreshed table needs no lock: creating or renaming it conflicts by itself, and
    dbt-duckdb cannot partition a table inside of a transaction that a hook has opened. -#}
{% macro take_write_lock() -%}
    {%- if execute and is_incremental() -%}
        {%- set lock = 'lake.main.' ~ this.identifier ~ '_write_lock' -%}
        {%- do run_query('create table if not exists ' ~ lock ~ ' as select 0::bigint as transactions') -%}
        update {{ lock }} set transactions = transactions + 1;
        {{ merge_doubled_rows() }}
    {%- endif -%}
{%- endmacro %}

{#- Leave one row of each doubled key: of each column, the value fetched last. Looks at the window
    and at the rows that one_row_a_key tests, so that this test cannot stay red. -#}
{% macro merge_doubled_rows() -%}
    {%- set keys = config.require('unique_key') -%}
    {%- set names = adapter.get_columns_in_relation(this) | map(attribute='name') | list -%}
    {%- set newest = '(fetched_at, snapshot_id)' if 'fetched_at' in names else 'snapshot_id' -%}
    {%- set column = config.require('prune_by') -%}
    {%- set unpublished = run_query(
        'select min(' ~ column ~ '), max(' ~ column ~ ') from ' ~ this
        ~ ' where snapshot_id > ' ~ published_snapshot_id()
    ).rows[0] -%}
    {#- Literals, so that DuckLake opens the files of these ranges only. -#}
    {%- set doubled -%}
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
    {%- set found = run_query(doubled) -%}
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
        semi join ({{ doubled }}) as doubled using ({{ keys | join(', ') }})
        group by {{ keys | join(', ') }};
        delete from {{ this }}
        where ({{ keys | join(', ') }}) in (select ({{ keys | join(', ') }}) from one_row_a_key);
        insert into {{ this }} ({{ names | join(', ') }})
        select {{ names | join(', ') }} from one_row_a_key;
    {%- endif -%}
{%- endmacro %}

{#- Say what to do about a commit that was refused; DuckLake's words do not. SQLite's are the last. -#}
{% macro name_refused_commits(results) -%}
    {%- for result in results if result.node.resource_type == 'model' and result.status == 'error' -%}
        {%- if 'Transaction conflict' in (result.message or '') or 'database is locked' in (result.message or '') -%}
            {{ log('ERROR ' ~ result.node.name ~ ': another run or step wrote to the lake at the same time,'
                ~ ' so nothing of this model was stored. Build it again when the other has ended; the next'
                ~ ' try of the task does.', info=True) }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
