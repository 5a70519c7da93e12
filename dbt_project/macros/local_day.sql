{#- Hours are stored in UTC; a day is the local one of the location's time zone. -#}
{% macro local_date(hour, timezone='timezone') -%}
    cast(timezone({{ timezone }}, timezone('UTC', {{ hour }})) as date)
{%- endmacro %}

{#- The value stamped h is the sum of the hour before h (open-meteo/open-meteo#1451). -#}
{% macro local_date_of_rain(hour, timezone='timezone') -%}
    {{ local_date('(' ~ hour ~ ' - interval 1 hour)', timezone) }}
{%- endmacro %}

{#- How many whole hours in UTC fall on a local day: 24, and 23 or 25 when daylight saving changes. -#}
{% macro hours_of_local_day(date, timezone='timezone') -%}
    (
        {{ first_hour_of_local_day(date ~ ' + 1', timezone) }}
        - {{ first_hour_of_local_day(date, timezone) }}
    )
{%- endmacro %}

{#- Counted from 1970, rounded up: a day may begin at half past an hour in UTC. Where a clock goes
    back from 01:00 to 00:00, midnight comes twice and DuckDB takes the second one, but the day
    begins with the first. -#}
{% macro first_hour_of_local_day(date, timezone) -%}
    {%- set hour -%}
        cast(ceil(epoch(timezone({{ timezone }}, cast({{ date }} as timestamp))) / 3600) as bigint)
    {%- endset -%}
    {%- set hour_before = "(timestamp '1970-01-01' + to_hours(" ~ hour ~ " - 1))" -%}
    ({{ hour }} - cast({{ local_date(hour_before, timezone) }} >= {{ date }} as bigint))
{%- endmacro %}
