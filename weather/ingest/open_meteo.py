"""Open-Meteo's HTTP API: which host, which parameters, and one request."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import httpx

from weather.ingest.job import Call
from weather.ingest.parse import STREAMING_ERROR, AttemptFailed, FailureKind, parse_response
from weather.settings import SourceSettings
from weather.source import OPEN_METEO, REPLAY, REPLAY_HEADER, Source
from weather.variables import VARIABLES

UNITS = {variable.source_name: variable.unit for variable in VARIABLES}
"""The requested variables, with their units in a response."""

FORECAST_HISTORY = timedelta(days=90)
"""The forecast host has 92 days; the archive of the same models has older hours."""

MAX_REDIRECTS = 5

_REDIRECTS = {301, 302, 303, 307, 308}

TIME_FORMAT = "%Y-%m-%dT%H:%M"
"""Format of hours in requests and responses, without an offset."""


@dataclass(frozen=True)
class Timeouts:
    """Timeouts of one request, in seconds."""

    connect: float = 10
    read: float = 60
    """Between two chunks of the body."""
    response: float = 300
    """For the whole response, which a slow server could stretch for ever."""


def request_form(call: Call) -> dict[str, str]:
    """Build the form data of a call, without the API key; start and end are inclusive.

    The time zone is GMT, because the service ignores daylight saving within a request.
    """
    return {
        "latitude": ",".join(str(location.latitude) for location in call.locations),
        "longitude": ",".join(str(location.longitude) for location in call.locations),
        "hourly": ",".join(UNITS),
        "timezone": "GMT",
        "start_hour": call.window.start.strftime(TIME_FORMAT),
        "end_hour": call.window.last_hour.strftime(TIME_FORMAT),
    }


def base_url_of(call: Call, source: SourceSettings, now: datetime) -> str:
    """Choose the host that has the call's hours; paid plans have separate hosts."""
    is_old = now - call.window.start > FORECAST_HISTORY
    configured = source.open_meteo_archive_url if is_old else source.open_meteo_url
    url = httpx.URL(configured)
    is_free = url.host.endswith(".open-meteo.com") and not url.host.startswith("customer-")
    if source.open_meteo_api_key and is_free:
        return str(url.copy_with(host=f"customer-{url.host}"))
    return configured


class OpenMeteo:
    """HTTP client of the service, for one request at a time."""

    def __init__(self, settings: SourceSettings, timeouts: Timeouts) -> None:
        self._api_key = settings.open_meteo_api_key
        self._response_timeout = timeouts.response
        self._client = httpx.Client(
            headers={"User-Agent": "weather-pipeline"},
            timeout=httpx.Timeout(timeouts.read, connect=timeouts.connect),
        )
        self.bytes_received = 0
        """Of all bodies."""
        self.source: Source = OPEN_METEO
        """Source of the newest response: a replay server identifies itself in a header."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def request(self, call: Call, base_url: str) -> list[object]:
        """Send one request.

        Returns:
            The locations' responses as JSON values, in the order of the call's locations.

        Raises:
            AttemptFailed: there is no readable response.
        """
        key = self._api_key
        form = request_form(call) | ({"apikey": key} if key else {})
        try:
            status, body = self._post_and_redirect(base_url, form)
            return parse_response(status, body, expected=len(call.locations))
        except AttemptFailed as error:
            raise error.redacted(key) from None

    def _post_and_redirect(self, base_url: str, form: dict[str, str]) -> tuple[int, bytes]:
        """Send the form, and send it again to the target of each redirect on the same host.

        httpx would drop the form after a 301, 302 or 303, and the service would respond to a
        request without parameters.
        """
        url = httpx.URL(f"{base_url}/v1/forecast")
        for _ in range(MAX_REDIRECTS + 1):
            status, body, location = self._post(url, form)
            if status not in _REDIRECTS or location is None:
                return status, body
            url = _redirect_target(url, location, status, body)
        reason = f"{status}: more than {MAX_REDIRECTS} redirects, the last one to {url}"
        raise AttemptFailed(FailureKind.REFUSED, reason, status, body)

    def _post(self, url: httpx.URL, form: dict[str, str]) -> tuple[int, bytes, str | None]:
        status, body = None, bytearray()
        deadline = time.monotonic() + self._response_timeout
        try:
            with self._client.stream("POST", url, data=form) as response:
                status, location = response.status_code, response.headers.get("Location")
                self.source = REPLAY if REPLAY_HEADER in response.headers else OPEN_METEO
                for chunk in response.iter_bytes():
                    body += chunk
                    if time.monotonic() > deadline:
                        raise httpx.ReadTimeout(f"no end after {self._response_timeout:g} s")
        except httpx.TimeoutException as error:
            raise _interrupted(FailureKind.TIMEOUT, error, status, body) from None
        except httpx.RequestError as error:
            is_cut = STREAMING_ERROR in body
            kind = FailureKind.STREAMING_ERROR if is_cut else FailureKind.CONNECTION
            raise _interrupted(kind, error, status, body) from None
        finally:
            self.bytes_received += len(body)
        return status, bytes(body), location


def _redirect_target(url: httpx.URL, location: str, status: int, body: bytes) -> httpx.URL:
    """Resolve a redirect to a URL on the same host.

    Raises:
        AttemptFailed: the target is another host, which must not get the API key and whose
            responses would be stored under the wrong host, or it is HTTP in place of HTTPS.
    """
    try:
        target = url.join(location)
    except httpx.InvalidURL as error:
        reason = f"{status}: a redirect to an invalid URL: {error}"
        raise AttemptFailed(FailureKind.REFUSED, reason, status, body) from None
    upgraded = url.copy_with(scheme="https")
    if _origin(target) in (_origin(url), _origin(upgraded)):
        return target
    reason = (
        f"{status}: a redirect to {target}, not followed because its host, port or scheme differs. "
        "If the service has moved, set OPEN_METEO_URL or OPEN_METEO_ARCHIVE_URL to its new address"
    )
    raise AttemptFailed(FailureKind.REFUSED, reason, status, body)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _interrupted(
    kind: FailureKind, error: httpx.RequestError, status: int | None, body: bytearray
) -> AttemptFailed:
    reason = str(error).rstrip(".") or type(error).__name__
    return AttemptFailed(kind, f"{kind}: {reason}", status, bytes(body))
