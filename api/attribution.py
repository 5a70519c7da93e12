"""Where the data comes from and under which licence, which every reader must be told."""

from fastapi import Response

SOURCE_URL = "https://open-meteo.com/"
LICENCE = "CC BY 4.0"
LICENCE_URL = "https://creativecommons.org/licenses/by/4.0/"
ATTRIBUTION = f"Weather data by Open-Meteo.com ({LICENCE})"


def attribute(response: Response) -> None:
    """Name the source and its licence in an answer's headers."""
    response.headers["Attribution"] = ATTRIBUTION
    response.headers["Link"] = f'<{LICENCE_URL}>; rel="license"'
