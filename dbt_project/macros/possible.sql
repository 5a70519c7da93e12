{#- A missing value is possible: it is missing, not wrong. -#}
{% macro is_possible(variable) -%}
    {%- set limits = var('possible')[variable] -%}
    coalesce({{ variable }} between {{ limits[0] }} and {{ limits[1] }}, true)
{%- endmacro %}

{% macro possible_or_null(variable) -%}
    case when {{ is_possible(variable) }} then {{ variable }} end
{%- endmacro %}

{% macro impossible_reason(variable) -%}
    {%- set limits = var('possible')[variable] -%}
    not between {{ limits[0] }} and {{ limits[1] }}
{%- endmacro %}
