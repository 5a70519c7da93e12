"""The names of the service's hourly variables."""

import re

from weather.replay.observations import VARIABLES

NAMES_OF_OLD = {"windspeed_10m": "wind_speed_10m"}
"""Older names of observed variables, which the service still takes and gives back as asked."""

_WITHOUT_DATA = """
    apparent_temperature cape cloud_cover cloud_cover_high cloud_cover_low cloud_cover_mid
    cloudcover cloudcover_high cloudcover_low cloudcover_mid dew_point_2m dewpoint_2m
    diffuse_radiation direct_normal_irradiance direct_radiation et0_fao_evapotranspiration
    evapotranspiration freezing_level_height global_tilted_irradiance is_day lifted_index
    lightning_potential precipitation_probability pressure_msl rain relative_humidity_2m
    relativehumidity_2m shortwave_radiation showers snow_depth snowfall soil_moisture_0_to_1cm
    soil_moisture_1_to_3cm soil_moisture_3_to_9cm soil_moisture_9_to_27cm
    soil_moisture_27_to_81cm soil_temperature_0cm soil_temperature_6cm soil_temperature_18cm
    soil_temperature_54cm sunshine_duration surface_pressure surface_temperature temperature_80m
    temperature_120m temperature_180m terrestrial_radiation uv_index uv_index_clear_sky
    vapor_pressure_deficit vapour_pressure_deficit visibility weather_code weathercode
    wet_bulb_temperature_2m wind_direction_10m wind_direction_80m wind_direction_120m
    wind_direction_180m wind_gusts_10m wind_speed_80m wind_speed_120m wind_speed_180m
    winddirection_10m windgusts_10m windspeed_80m windspeed_120m windspeed_180m
"""

WITHOUT_DATA = frozenset(_WITHOUT_DATA.split())
"""Real variables that were not observed: all null, with the unit "undefined"."""

_AT_A_PRESSURE = re.compile(
    r"(temperature|relative_?humidity|dew_?point|cloud_?cover|wind_?speed|wind_?direction"
    r"|geopotential_height|vertical_velocity)_\d{2,4}hPa"
)


def observed_variable(name: str) -> str | None:
    """The observed variable that goes by that name, or None."""
    current = NAMES_OF_OLD.get(name, name)
    return current if current in VARIABLES else None


def is_variable(name: str) -> bool:
    """Whether the service has a variable of that name."""
    return (
        observed_variable(name) is not None
        or name in WITHOUT_DATA
        or _AT_A_PRESSURE.fullmatch(name) is not None
    )
