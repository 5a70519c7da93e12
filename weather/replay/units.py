"""The units that the service can give values in, under the names that requests use for them."""

from collections.abc import Mapping
from dataclasses import dataclass

from weather.replay.observations import Series


@dataclass(frozen=True)
class Unit:
    """A unit, and how a value gets there from °C, mm or km/h."""

    label: str
    """As `hourly_units` names it."""
    factor: float = 1.0
    offset: float = 0.0
    decimals: int = 1

    def converted(self, values: Series) -> Series:
        """Values in this unit, from °C, mm or km/h; a missing one stays missing."""
        if self.factor == 1:
            return values
        return [
            None if value is None else round(value * self.factor + self.offset, self.decimals)
            for value in values
        ]


@dataclass(frozen=True)
class UnitChoice:
    """A parameter by which a request chooses units; the first one is the default."""

    parameters: tuple[str, ...]
    kind: str
    """The type's name in the service's error messages."""
    units: Mapping[str, Unit]


CHOICES: Mapping[str, UnitChoice] = {
    "°C": UnitChoice(
        ("temperature_unit",),
        "TemperatureUnit",
        {"celsius": Unit("°C"), "fahrenheit": Unit("°F", 1.8, 32)},
    ),
    "mm": UnitChoice(
        ("precipitation_unit",),
        "PrecipitationUnit",
        {"mm": Unit("mm"), "inch": Unit("inch", 1 / 25.4, decimals=3)},
    ),
    "km/h": UnitChoice(
        ("wind_speed_unit", "windspeed_unit"),
        "WindspeedUnit",
        {
            "kmh": Unit("km/h"),
            "mph": Unit("mp/h", 1 / 1.609344),
            "ms": Unit("m/s", 1 / 3.6, decimals=2),
            "kn": Unit("kn", 1 / 1.852),
        },
    ),
}
"""By the default unit."""

IMPERIAL: Mapping[str, Unit] = {
    "°C": CHOICES["°C"].units["fahrenheit"],
    "mm": CHOICES["mm"].units["inch"],
    "km/h": CHOICES["km/h"].units["mph"],
}
"""By the default unit."""
