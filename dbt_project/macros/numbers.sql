{#- Sums of decimals are exact, so they do not depend on the order of the rows. -#}
{% macro exactly(value) -%}
    cast({{ value }} as decimal(12, 4))
{%- endmacro %}

{% macro one_decimal(value) -%}
    cast(round({{ value }}, 1) as double)
{%- endmacro %}
