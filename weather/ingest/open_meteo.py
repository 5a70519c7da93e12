"""Open-Meteo's HTTP API: the parameters, and one request."""

from datetime import datetime

import httpx

from weather.ingest.fetch import SourceClient
from weather.ingest.http_json import AttemptFailed, FailureKind, Timeouts, parse_response
from weather.ingest.job import Call, Job
from weather.ingest.quota import base_url_of, quota_problem, seconds_between_calls
from weather.ingest.validate import TIME_FORMAT, UNITS, wrong_location
from weather.locations import Location
from weather.settings import SourceSettings
from weather.source import OPEN_METEO, REPLAY, REPLAY_HEADER
from weather.window import Window

MAX_REDIRECTS = 5

_REDIRECTS = {301, 302, 303, 307, 308}


def request_form(call: Call) -> dict[str, str]:
    """Build the form data of a call, without the API key. Start and end are inclusive.

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


class OpenMeteo(SourceClient):
    """Client of Open-Meteo, whose responses have the common format of hours."""

    source = OPEN_METEO
    settings_names = "OPEN_METEO_URL, OPEN_METEO_ARCHIVE_URL, OPEN_METEO_API_KEY"

    def __init__(self, settings: SourceSettings, timeouts: Timeouts) -> None:
        super().__init__(timeouts)
        self._settings = settings

    def problem(self, job: Job, now: datetime) -> str | None:
        """Return why the run exceeds the free service's quota, or None."""
        return quota_problem(job, self._settings, now)

    def base_url(self, call: Call, now: datetime) -> str:
        """Choose the host that has the call's hours."""
        return base_url_of(call, self._settings, now)

    def request_fields(self, call: Call) -> dict[str, str]:
        """Return the form data without the API key."""
        return request_form(call)

    def pause(self, call: Call, base_url: str) -> float:
        """Return the seconds between the starts of this call and the next, by the rate limit."""
        return seconds_between_calls(
            len(call.locations),
            call.window.hours,
            len(UNITS),
            base_url,
            has_key=self._settings.open_meteo_api_key is not None,
        )

    def wrong_location(self, response: object, location: Location, position: int) -> str | None:
        """Return why `location_id` or the coordinates are of another location, or None."""
        return wrong_location(response, location, position)

    def hours_of(self, response: object, window: Window) -> object:
        """Return the response itself, because Open-Meteo's format is the common format."""
        return response

    def request(self, call: Call, base_url: str) -> list[object]:
        """Send one request, and set `source` by the header that only a replay server sends."""
        key = self._settings.open_meteo_api_key
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
            status, body, headers = self.http.send("POST", url, form)
            self.source = REPLAY if REPLAY_HEADER in headers else OPEN_METEO
            location = headers.get("Location")
            if status not in _REDIRECTS or location is None:
                return status, body
            url = _redirect_target(url, location, status, body)
        reason = f"{status}: more than {MAX_REDIRECTS} redirects, the last one to {url}"
        raise AttemptFailed(FailureKind.REFUSED, reason, status, body)


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
