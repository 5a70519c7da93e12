{#- A revision can take a day's last value away; a day has a row only while one hour has a value. -#}
{% macro delete_days_without_value() -%}
    delete from {{ this }}
    where
        {% for variable in weather_variables() -%}
        {% for column in variable.functions -%}
        {{ column }} is null and
        {% endfor -%}
        {% endfor -%}
        {{ within_window('date', margin_hours=50) }}
{%- endmacro %}
