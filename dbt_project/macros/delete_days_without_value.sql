{#- A revision can take a day's last value away; a day has a row only while one hour has a value. -#}
{% macro delete_days_without_value() -%}
    delete from {{ this }}
    where
        temp_min_c is null
        and total_precipitation_mm is null
        and avg_windspeed_kmh is null
        and {{ within_window('date', margin_hours=50) }}
{%- endmacro %}
