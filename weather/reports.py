"""Reports of a run's steps, stored as objects because pods are deleted.

`ingest` and dbt each store a report. `publish` merges those of its run into `published.json`, from
which the API makes metrics.
"""

from collections import Counter
from collections.abc import Sequence

from pydantic import AwareDatetime, BaseModel, ConfigDict

from weather.window import Window

MODEL_REPORTS = "transformed/reports/"
"""Prefix of dbt's reports: one object for each model, replaced by each run."""


class Report(BaseModel):
    """Immutable base of all reports."""

    model_config = ConfigDict(frozen=True)


class IngestReport(Report):
    """Hours requested and received. An hour counts once for each location."""

    hours_asked: int = 0
    """Hours requested for all locations, including calls that failed or were never made."""
    hours_received: int = 0
    """Hours in valid responses."""
    hours_rejected: int = 0
    """Hours in invalid responses."""
    calls: int = 0
    """Successful calls."""
    retries: dict[str, int] = {}
    """Number of retries, by the kind of the preceding failure."""
    bytes: int = 0
    """Bytes of all response bodies."""


class ShardReport(IngestReport):
    """Report of a shard's last try."""

    window_start: AwareDatetime
    window_end: AwareDatetime
    shard: int
    shards: int
    finished_at: AwareDatetime


class ModelReport(Report):
    """Test results of a dbt model's last build."""

    model: str
    window_start: AwareDatetime
    window_end: AwareDatetime
    tests: dict[str, int] = {}
    """Number of tests by result: `pass`, `warn`, `fail`, `error` or `skipped`."""


class RunReport(Report):
    """Report of all steps of a run."""

    window_start: AwareDatetime
    ingest: IngestReport | None = None
    """Merged reports of the shards; None if no shard stored a report."""
    rows_written: dict[str, int] = {}
    """Rows by table that are new or changed since the last published snapshot."""
    values_kept: dict[str, int] = {}
    """Known values by variable that newer responses lacked."""
    tests: dict[str, dict[str, int]] = {}
    """Number of tests by model and result."""


def shard_report_key(window: Window, shard: int, shards: int) -> str:
    """Return the key of a shard's report, outside of the folders that dbt reads responses from."""
    return f"{shard_reports_prefix(window)}{shard:03d}-of-{shards:03d}-report.json"


def shard_reports_prefix(window: Window) -> str:
    """Return the prefix of a window's reports."""
    return f"raw/{window.key}/shard-"


def ingest_report_of(shards: Sequence[ShardReport]) -> IngestReport | None:
    """Merge the reports of a window's shards, or None without any.

    A window fetched again with another number of shards has reports of both runs. Only reports
    with the newest one's number of shards count.
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
