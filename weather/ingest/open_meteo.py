"""Open-Meteo's contract, and one try of a call over HTTP."""

import time
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import httpx

from weather.ingest.job import Call
from weather.ingest.patience import Patience
from weather.ingest.replies import STREAMING_ERROR, Trouble, Unusable, read_reply
from weather.settings import SourceSettings
from weather.source import OPEN_METEO, REPLAY, REPLAY_HEADER, Source

UNITS = {"temperature_2m": "°C", "precipitation": "mm", "wind_speed_10m": "km/h"}
"""The variables asked for, with the units that the service answers in by default."""

FORECAST_REACH = timedelta(days=90)
"""The forecast host keeps 92 days; older hours come from the archive of the same models."""

MOST_REDIRECTS = 5
"""Followed for one request."""

_REDIRECTS = {301, 302, 303, 307, 308}

TIME_FORMAT = "%Y-%m-%dT%H:%M"
"""The service's way to write an hour, without an offset."""


def form_of(call: Call) -> dict[str, str]:
    """The form that asks for a call's hours, without the API key; start and end inclusive.

    The time zone is GMT because the service knows no daylight saving within a period.
    """
    return {
        "latitude": ",".join(str(location.latitude) for location in call.locations),
        "longitude": ",".join(str(location.longitude) for location in call.locations),
        "hourly": ",".join(UNITS),
        "timezone": "GMT",
        "start_hour": call.window.start.strftime(TIME_FORMAT),
        "end_hour": call.window.last_hour.strftime(TIME_FORMAT),
    }


def address_of(call: Call, source: SourceSettings, now: datetime) -> str:
    """The address of the host that has the call's hours; paid plans have hosts of their own."""
    is_old = now - call.window.start > FORECAST_REACH
    address = source.open_meteo_archive_url if is_old else source.open_meteo_url
    url = httpx.URL(address)
    is_free = url.host.endswith(".open-meteo.com") and not url.host.startswith("customer-")
    if source.open_meteo_api_key and is_free:
        return str(url.copy_with(host=f"customer-{url.host}"))
    return address


class OpenMeteo:
    """A connection to the service, used for one request at a time."""

    def __init__(self, source: SourceSettings, patience: Patience) -> None:
        self._source = source
        self._answer_seconds = patience.answer
        self._client = httpx.Client(
            headers={"User-Agent": "weather-pipeline"},
            timeout=httpx.Timeout(patience.read, connect=patience.connect),
        )
        self.received = 0
        """Bytes of all bodies so far."""
        self.answered_by: Source = OPEN_METEO
        """Whose data the newest response holds: a replay server names itself in a header."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def ask(self, call: Call, address: str) -> list[object]:
        """Make one request.

        Returns:
            The answers, one for each of the call's locations in their order, as JSON values.

        Raises:
            Unusable: it brought no such answers.
        """
        key = self._source.open_meteo_api_key
        form = form_of(call) | ({"apikey": key} if key else {})
        try:
            return read_reply(*self._followed(address, form), expected=len(call.locations))
        except Unusable as error:
            raise error.without(key) from None

    def _followed(self, address: str, form: dict[str, str]) -> tuple[int, bytes]:
        """Send the form, also where redirects of the same host lead to.

        Every redirect gets a POST with the form: httpx would drop the form after a 301, 302 or 303,
        and the service would answer a question without parameters.
        """
        url = httpx.URL(f"{address}/v1/forecast")
        for _ in range(MOST_REDIRECTS + 1):
            status, body, location = self._post(url, form)
            if status not in _REDIRECTS or location is None:
                return status, body
            url = _target(url, location, status, body)
        reason = f"{status}: more than {MOST_REDIRECTS} redirects, the last one to {url}"
        raise Unusable(Trouble.REFUSED, reason, status, body)

    def _post(self, url: httpx.URL, form: dict[str, str]) -> tuple[int, bytes, str | None]:
        status, body = None, bytearray()
        latest_end = time.monotonic() + self._answer_seconds
        try:
            with self._client.stream("POST", url, data=form) as response:
                status, location = response.status_code, response.headers.get("Location")
                self.answered_by = REPLAY if REPLAY_HEADER in response.headers else OPEN_METEO
                for piece in response.iter_bytes():
                    body += piece
                    if time.monotonic() > latest_end:
                        raise httpx.ReadTimeout(f"no end after {self._answer_seconds:g} s")
        except httpx.TimeoutException as error:
            raise _interrupted(Trouble.TIMEOUT, error, status, body) from None
        except httpx.RequestError as error:
            cut = STREAMING_ERROR in body
            trouble = Trouble.STREAMING_ERROR if cut else Trouble.CONNECTION
            raise _interrupted(trouble, error, status, body) from None
        finally:
            self.received += len(body)
        return status, bytes(body), location


def _target(url: httpx.URL, location: str, status: int, body: bytes) -> httpx.URL:
    """Return the address that a redirect names, if the form may be sent there.

    Raises:
        Unusable: another host, which must not get the API key and whose responses would be stored
            under the wrong host; or a connection without encryption in place of one with it.
    """
    try:
        target = url.join(location)
    except httpx.InvalidURL as error:
        reason = f"{status}: a redirect to an unreadable address: {error}"
        raise Unusable(Trouble.REFUSED, reason, status, body) from None
    upgraded = url.copy_with(scheme="https")
    if _origin(target) in (_origin(url), _origin(upgraded)):
        return target
    reason = (
        f"{status}: a redirect to {target}, not followed because its host, port or encryption "
        "differs. If the service has moved, set OPEN_METEO_URL or OPEN_METEO_ARCHIVE_URL to its "
        "new address"
    )
    raise Unusable(Trouble.REFUSED, reason, status, body)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _interrupted(
    trouble: Trouble, error: httpx.RequestError, status: int | None, body: bytearray
) -> Unusable:
    words = str(error).rstrip(".") or type(error).__name__
    return Unusable(trouble, f"{trouble}: {words}", status, bytes(body))
