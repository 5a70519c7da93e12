"""Where the data comes from and under which licence, which every reader must be told."""

LICENCE = "CC BY 4.0"
LICENCE_URL = "https://creativecommons.org/licenses/by/4.0/"
ATTRIBUTION = f"Weather data by Open-Meteo.com ({LICENCE})"
