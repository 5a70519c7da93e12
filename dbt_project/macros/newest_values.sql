{#- The newest value of each hour and variable, in whatever order responses arrive. A missing or
    impossible value never replaces a known one. -#}

{#- One row for each hour of `hours`: the newest of the received values and the values in the table,
    for each variable.

    Columns: location_id, hour_timestamp; of each variable its value, <variable>_fetched_at and
    <variable>_kept_at (its entry in `kept_values`); fetched_at, the newest of all responses;
    is_changed, false where the table has the row already.

    Args:
        hours: a relation with the columns of raw_hours. -#}
{% macro newest_values(hours) -%}
    {%- set variables = weather_variables() | map(attribute='column') | list -%}
    {%- set changes = ['known.fetched_at is null', 'received.fetched_at > known.fetched_at'] -%}
    select
        received.location_id,
        received.hour_timestamp,
        greatest(received.fetched_at, known.fetched_at) as fetched_at,
        {% for variable in variables -%}
        {%- set known_moment = 'coalesce(kept.' ~ variable ~ ', known.fetched_at)' -%}
        {#- If two responses have the same time, the higher value wins in either order of arrival. -#}
        {%- set is_newer -%}
        received.{{ variable }} is not null
        and (
            known.{{ variable }} is null
            or (received.{{ variable }}_fetched_at, received.{{ variable }})
            > ({{ known_moment }}, known.{{ variable }})
        )
        {%- endset -%}
        {%- do changes.append('(' ~ is_newer ~ ')') -%}
        case
            when {{ is_newer }} then received.{{ variable }} else known.{{ variable }}
        end as {{ variable }},
        case
            when {{ is_newer }} then received.{{ variable }}_fetched_at else {{ known_moment }}
        end as {{ variable }}_fetched_at,
        kept.{{ variable }} as {{ variable }}_kept_at,
        {% endfor -%}
        {{ changes | join(' or ') }} as is_changed
    from (
        select
            location_id,
            hour_timestamp,
            {% for variable in variables -%}
            arg_max({{ variable }}, (fetched_at, {{ variable }})) as {{ variable }},
            max(fetched_at) filter (where {{ variable }} is not null) as {{ variable }}_fetched_at,
            {% endfor -%}
            max(fetched_at) as fetched_at
        from (
            select
                location_id,
                hour_timestamp,
                {% for variable in weather_variables() -%}
                {{ possible_or_null(variable) }} as {{ variable.column }},
                {% endfor -%}
                fetched_at
            from {{ hours }}
        ) as possible
        group by location_id, hour_timestamp
    ) as received
    left join ({{ known_hours(variables) }}) as known
        on
            received.location_id = known.location_id
            and received.hour_timestamp = known.hour_timestamp
    left join (
        select
            location_id,
            hour_timestamp,
            {% for variable in variables -%}
            max(fetched_at) filter (where variable = '{{ variable }}') as {{ variable }}
            {{- ',' if not loop.last }}
            {% endfor %}
        from {{ kept_values() }}
        where {{ within_window('hour_timestamp') }}
        group by location_id, hour_timestamp
    ) as kept
        on
            received.location_id = kept.location_id
            and received.hour_timestamp = kept.hour_timestamp
{%- endmacro %}

{#- The table's rows in the run's window. A column that an older table lacks is null. -#}
{% macro known_hours(variables) -%}
    select * from (
        select
            null::varchar as location_id,
            null::timestamp as hour_timestamp,
            null::timestamp as fetched_at,
            {% for variable in variables -%}
            null::double as {{ variable }}{{ ',' if not loop.last }}
            {% endfor %}
        where false
        {% if is_incremental() -%}
        union all by name
        select * from {{ this }}
        {%- endif %}
    ) as staged
    where {{ within_window('hour_timestamp') }}
{%- endmacro %}

{#- Table of the values in stg_weather that newer responses lack, with the time each was fetched. A value
    that arrives late is compared with that time, because the row's fetched_at is newer. -#}
{% macro kept_values() -%}
    lake.main.kept_values
{%- endmacro %}

{#- Update `kept_values` in the transaction that writes stg_weather. -#}
{% macro store_kept_values() -%}
    create {{ '' if is_incremental() else 'or replace' }} table
    {{ 'if not exists' if is_incremental() }} {{ kept_values() }} (
        location_id varchar,
        hour_timestamp timestamp,
        variable varchar,
        fetched_at timestamp
    );

    create or replace temporary table kept_values_of_this_run as
    with raw_hours as (

        {{ run_hours() }}

    ),

    newest as (

        {{ newest_values('raw_hours') }}

    ),

    changes as (

        {% for variable in weather_variables() | map(attribute='column') %}
        select
            location_id,
            hour_timestamp,
            '{{ variable }}' as variable,
            {{ variable }}_kept_at as kept_at,
            case
                when {{ variable }} is not null and {{ variable }}_fetched_at < fetched_at
                    then {{ variable }}_fetched_at
            end as fetched_at
        from newest
        {{ 'union all' if not loop.last }}
        {% endfor %}

    )

    select * exclude (kept_at)
    from changes
    where kept_at is distinct from fetched_at;

    delete from {{ kept_values() }} as kept
    using kept_values_of_this_run as changed
    where
        kept.location_id = changed.location_id
        and kept.hour_timestamp = changed.hour_timestamp
        and kept.variable = changed.variable
        and {{ within_window('kept.hour_timestamp') }};

    insert into {{ kept_values() }}
    select *
    from kept_values_of_this_run
    where fetched_at is not null;
{%- endmacro %}
