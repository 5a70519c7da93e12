{#- Local days in a location's time zone; hours are stored in UTC. The offsets are in a table of
    weather/lake/dbt_plugin.py, because DuckDB's own rules are as old as its build. -#}

{#- The local dates of hours. The value stamped h is the sum of the hour before h
    (open-meteo/open-meteo#1451), so rain has the date of h minus one hour.

    Args:
        hours: a relation with the columns timezone and hour_timestamp. -#}
{% macro local_dates(hours) -%}
    select
        hours.timezone,
        hours.hour_timestamp,
        cast(
            hours.hour_timestamp
            + {{ known_offset('at_hour', 'hours.timezone', 'hours.hour_timestamp') }} as date
        ) as date,
        cast(
            hours.hour_before
            + {{ known_offset('at_hour_before', 'hours.timezone', 'hours.hour_before') }} as date
        ) as date_of_rain
    from (
        select distinct
            timezone,
            hour_timestamp,
            hour_timestamp - interval 1 hour as hour_before
        from {{ hours }}
    ) as hours
    asof left join memory.main.utc_offsets as at_hour
        on hours.timezone = at_hour.timezone and hours.hour_timestamp >= at_hour.since
    asof left join memory.main.utc_offsets as at_hour_before
        on
            hours.timezone = at_hour_before.timezone
            and hours.hour_before >= at_hour_before.since
{%- endmacro %}

{#- How many whole hours in UTC fall on each local day: 24, and 23 or 25 when clocks change.

    Args:
        days: a relation with the columns timezone and date. -#}
{% macro day_lengths(days) -%}
    select
        days.timezone,
        days.date,
        {{ first_hour('at_end', 'days.timezone', 'days.date + 1') }}
        - {{ first_hour('at_start', 'days.timezone', 'days.date') }} as hours_of_day
    from (
        select distinct
            timezone,
            date
        from {{ days }}
    ) as days
    asof left join memory.main.utc_offsets as at_start
        on
            days.timezone = at_start.timezone
            and cast(days.date as timestamp) >= at_start.since_local
    asof left join memory.main.utc_offsets as at_end
        on
            days.timezone = at_end.timezone
            and cast(days.date + 1 as timestamp) >= at_end.since_local
{%- endmacro %}

{#- Number of a day's first whole hour since 1970. It is rounded up, because a day may start at half
    past an hour in UTC. Where clocks skip midnight, the day starts with the change. -#}
{% macro first_hour(offsets, timezone, date) -%}
    cast(
        ceil(
            epoch(
                greatest(
                    {{ offsets }}.since,
                    cast({{ date }} as timestamp)
                    - {{ known_offset(offsets, timezone, date) }}
                )
            ) / 3600
        ) as bigint
    )
{%- endmacro %}

{% macro known_offset(offsets, timezone, moment) -%}
    coalesce(
        {{ offsets }}.utc_offset,
        error(
            'No time zone rules for ' || {{ timezone }} || ' at ' || {{ moment }}
            || ': correct the time zone in locations.yaml, or upgrade tzdata'
        )
    )
{%- endmacro %}
