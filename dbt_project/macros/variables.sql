{#- Generated from weather/variables.py by `make variables`. -#}
{% macro weather_variables() -%}
{{ return([
    {
        "column": "temperature_c",
        "source_name": "temperature_2m",
        "lowest": -90,
        "highest": 60,
        "preceding_hour": false,
        "functions": {"temp_min_c": "min", "temp_max_c": "max", "temp_avg_c": "avg"},
    },
    {
        "column": "precipitation_mm",
        "source_name": "precipitation",
        "lowest": 0,
        "highest": 500,
        "preceding_hour": true,
        "functions": {"total_precipitation_mm": "sum"},
    },
    {
        "column": "windspeed_kmh",
        "source_name": "wind_speed_10m",
        "lowest": 0,
        "highest": 410,
        "preceding_hour": false,
        "functions": {"avg_windspeed_kmh": "avg"},
    },
]) }}
{%- endmacro %}
