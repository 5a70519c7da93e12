{#- Sums of decimals are exact, so they do not depend on the order of the rows. -#}
{% macro exactly(value) -%}
    cast({{ value }} as decimal(12, 4))
{%- endmacro %}

{#- Adding zero turns -0.0 into 0.0: a mean of -0.04 is rounded to -0.0. -#}
{% macro one_decimal(value) -%}
    cast(round({{ value }}, 1) + 0 as double)
{%- endmacro %}

{#- The statistics of a day's hours, as columns that end with a comma.

    Args:
        variables: entries of weather_variables(). -#}
{% macro statistics_of(variables) -%}
    {%- for variable in variables -%}
    {%- for column, function in variable.functions.items() -%}
    {%- set value = variable.column if function in ('min', 'max') else exactly(variable.column) -%}
    {{ function }}({{ value }}) as {{ column }},
    {% endfor -%}
    {%- endfor -%}
{%- endmacro %}

{#- Post-hook: delete days whose last value was revised to null. -#}
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
