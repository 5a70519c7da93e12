{#- True if a value is within the possible limits. A missing value counts as possible.

    Args:
        variable: an entry of weather_variables(). -#}
{% macro is_possible(variable) -%}
    coalesce({{ variable.column }} between {{ variable.lowest }} and {{ variable.highest }}, true)
{%- endmacro %}

{% macro possible_or_null(variable) -%}
    case when {{ is_possible(variable) }} then {{ variable.column }} end
{%- endmacro %}

{% macro impossible_reason(variable) -%}
    not between {{ variable.lowest }} and {{ variable.highest }}
{%- endmacro %}
