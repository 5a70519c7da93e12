"""What the steps of a run say of themselves, in small objects that outlive their pods.

`ingest` and dbt store a report each, where they may write; `publish` gathers those of its run and
puts them into the object that it publishes with, which the API reads anyway.
"""

from collections import Counter
from collections.abc import Sequence

from pydantic import AwareDatetime, BaseModel, ConfigDict

from weather.window import Window

MODEL_REPORTS = "transformed/reports/"
"""Where dbt's own reports are, an object a model, each in place of the one before."""


class Report(BaseModel):
    """Never changed once made."""

    model_config = ConfigDict(frozen=True)


class IngestReport(Report):
    """What ingest asked for and received; an hour counts once for each location."""

    hours_asked: int = 0
    """Of all locations; those of calls that were never made or answered count as well."""
    hours_received: int = 0
    """In answers that passed the checks of form."""
    hours_rejected: int = 0
    """In answers that did not."""
    calls: int = 0
    """Calls that brought answers."""
    retries: dict[str, int] = {}
    """Tries beyond the first of a call, by what had made them necessary."""
    bytes: int = 0
    """Of all bodies received."""


class ShardReport(IngestReport):
    """The report of one shard's last try."""

    window_start: AwareDatetime
    window_end: AwareDatetime
    shard: int
    shards: int
    finished_at: AwareDatetime


class ModelReport(Report):
    """How the tests of a dbt model ended when it was last built."""

    model: str
    window_start: AwareDatetime
    window_end: AwareDatetime
    tests: dict[str, int] = {}
    """How many ended as `pass`, `warn`, `fail`, `error` or `skipped`."""


class RunReport(Report):
    """What a run did, all its steps together."""

    window_start: AwareDatetime
    ingest: IngestReport | None = None
    """None where no shard left a report."""
    rows_written: dict[str, int] = {}
    """By table: rows new or changed since the snapshot published before."""
    values_kept: dict[str, int] = {}
    """By variable: values of the run's hours that newer responses lack."""
    tests: dict[str, dict[str, int]] = {}
    """By model: as in ModelReport."""


def shard_report_key(window: Window, shard: int, shards: int) -> str:
    """The key of a shard's report, which is not in a folder of responses: dbt reads those whole."""
    return f"{shard_reports_prefix(window)}{shard:03d}-of-{shards:03d}-report.json"


def shard_reports_prefix(window: Window) -> str:
    """What the keys of a window's reports start with."""
    return f"raw/{window.key}/shard-"


def ingest_report_of(shards: Sequence[ShardReport]) -> IngestReport | None:
    """The reports of a window's shards as one; None without any.

    A window that was taken again with more or fewer shards has left reports of both: those count
    that are cut as the newest is.
    """
    if not shards:
        return None
    newest = max(shards, key=lambda report: report.finished_at)
    counted = [report for report in shards if report.shards == newest.shards]
    retries: Counter[str] = Counter()
    for report in counted:
        retries.update(report.retries)
    return IngestReport(
        hours_asked=sum(report.hours_asked for report in counted),
        hours_received=sum(report.hours_received for report in counted),
        hours_rejected=sum(report.hours_rejected for report in counted),
        calls=sum(report.calls for report in counted),
        retries=dict(retries),
        bytes=sum(report.bytes for report in counted),
    )
