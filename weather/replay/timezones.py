"""Time zones as the service has them: the offset of the moment, whatever the hour asked for."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from weather.replay.refusal import Refusal
from weather.timezones import zone


@dataclass(frozen=True)
class FixedOffset:
    """A time zone held at the offset that it has at the time of the request."""

    timezone: str
    abbreviation: str
    utc_offset: timedelta

    @property
    def data_offset(self) -> timedelta:
        """The offset to whole hours, towards zero, by which the service reads its data.

        At +05:30 it thus shows the value of 00:00 UTC at 05:00 local time.
        """
        return timedelta(hours=int(self.utc_offset / timedelta(hours=1)))

    def local_time(self, moment: datetime) -> datetime:
        """The moment in this zone's time, without an offset."""
        return moment.replace(tzinfo=None) - (moment.utcoffset() or timedelta()) + self.utc_offset


def fixed_offset(timezone: str, now: datetime) -> FixedOffset:
    """The zone of that name, at the offset in force now (with its offset).

    Raises:
        Refusal: there is no such zone.
    """
    if timezone == "auto":
        raise Refusal("This replay cannot tell the time zone of a location: name it")
    try:
        local = now.astimezone(zone(timezone))
    except KeyError:
        raise Refusal("Invalid timezone") from None
    return FixedOffset(timezone, local.tzname() or "", local.utcoffset() or timedelta())
