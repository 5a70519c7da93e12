"""The report that a run of ingest leaves in the store, for whoever is asked what it did."""

import logging
from datetime import datetime

from weather.errors import StepError
from weather.ingest.fetch import now_in_utc
from weather.ingest.job import Job
from weather.ingest.run import Tally
from weather.reports import ShardReport, shard_report_key
from weather.storage import Store

log = logging.getLogger("ingest")


def report_of(job: Job, tally: Tally, finished_at: datetime) -> ShardReport:
    """What the tally says of the job."""
    return ShardReport(
        window_start=job.window.start,
        window_end=job.window.end,
        shard=job.shard,
        shards=job.shards,
        finished_at=finished_at,
        hours_asked=job.window.hours * len(job.locations),
        hours_received=tally.hours_accepted,
        hours_rejected=tally.hours_rejected,
        calls=tally.calls,
        retries=dict(tally.retries),
        bytes=tally.received,
    )


def store_report(job: Job, tally: Tally, store: Store) -> None:
    """Store the report in place of an earlier try's; without a store there is none."""
    body = report_of(job, tally, now_in_utc()).model_dump_json().encode()
    try:
        store.put(shard_report_key(job.window, job.shard, job.shards), body)
    except StepError as error:
        # Answers that are stored are worth more than what is said of them.
        log.warning("No report is left of this run. %s", error)
