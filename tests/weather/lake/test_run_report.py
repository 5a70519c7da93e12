"""Report of a run, which publish combines from the steps' reports."""

import json
from datetime import UTC, datetime

import pytest

from tests.pipeline import MODELS, Pipeline
from tests.replay_server import set_faults
from weather.errors import ExitCode
from weather.published import PUBLISHED_KEY, Published
from weather.reports import MODEL_REPORTS, RunReport, ShardReport, ingest_report_of
from weather.window import HOUR, Window, lookback_window

END = datetime(2026, 11, 20, 5, tzinfo=UTC)
LOCATIONS = 3


def report(pipeline: Pipeline) -> RunReport:
    published = pipeline.published()
    assert published is not None
    assert published.run is not None
    return published.run


def test_a_run_publishes_its_report(pipeline: Pipeline) -> None:
    window = lookback_window(END, 48)
    pipeline.run(window, *MODELS)
    run = report(pipeline)
    assert run.window_start == window.start
    assert run.ingest is not None
    assert (run.ingest.hours_asked, run.ingest.hours_received) == (LOCATIONS * 48,) * 2
    assert (run.ingest.hours_rejected, run.ingest.calls, run.ingest.retries) == (0, 1, {})
    assert run.ingest.bytes > 48 * 3 * 3
    assert run.rows_written == {
        "daily_weather_stats": pipeline.rows("select count(*) from daily_weather_stats")[0][0],
        "rejected_weather": 0,
        "stg_weather": LOCATIONS * 48,
        "kept_values": 0,
    }
    assert set(run.tests) == set(MODELS)
    for tests in run.tests.values():
        assert tests["pass"] >= 6
        assert set(tests) <= {"pass", "warn"}


def test_a_second_run_reports_only_its_own_rows(pipeline: Pipeline) -> None:
    pipeline.run(lookback_window(END, 48))
    pipeline.run(lookback_window(END + HOUR, 5))
    written = report(pipeline).rows_written
    assert written["stg_weather"] == LOCATIONS * 5
    assert 0 < written["daily_weather_stats"] <= LOCATIONS * 2


def test_retries_and_rejections_are_reported_with_reasons(pipeline: Pipeline, replay: str) -> None:
    pipeline.take(lookback_window(END, 24))
    set_faults(replay, "server_error*1,text_value@1*1")
    assert pipeline.ingest() == ExitCode.REJECTED
    assert pipeline.transform()
    assert pipeline.publish() == 0
    reported = report(pipeline).ingest
    assert reported is not None
    assert reported.retries == {"server error": 1}
    assert (reported.hours_asked, reported.hours_received, reported.hours_rejected) == (72, 48, 24)


def test_a_failed_test_is_reported_and_blocks_publish(pipeline: Pipeline, replay: str) -> None:
    pipeline.take(lookback_window(END, 24))
    set_faults(replay, "odd_temperature")
    ended = pipeline.ingest()
    set_faults(replay, "")
    assert ended == ExitCode.OK
    assert not pipeline.transform()
    body = pipeline.store.get(f"{MODEL_REPORTS}stg_weather.json")
    assert body is not None
    assert b'"fail":1' in body
    assert pipeline.published() is None


def test_reports_are_replaced_and_not_read_as_responses(pipeline: Pipeline) -> None:
    for hour in range(2):
        pipeline.run_hour(END + hour * HOUR, lookback_hours=6)
    assert len(list(pipeline.store.list(MODEL_REPORTS))) == len(MODELS)
    assert pipeline.rows("select count(*) from stg_weather") == [(LOCATIONS * 7,)]


def test_published_json_of_an_older_version_is_read(pipeline: Pipeline) -> None:
    end = "2026-11-20T05:00:00Z"
    old = {"snapshot_id": 7, "published_at": end, "window_end": end}
    pipeline.store.put(PUBLISHED_KEY, json.dumps(old).encode())
    assert pipeline.published() == Published(snapshot_id=7, published_at=END, window_end=END)


def shard(number: int, of: int, minute: int, **reported: object) -> ShardReport:
    window = Window(END - HOUR, END)
    return ShardReport.model_validate(
        {
            "window_start": window.start,
            "window_end": window.end,
            "shard": number,
            "shards": of,
            "finished_at": END.replace(minute=minute),
            **reported,
        }
    )


@pytest.mark.parametrize("order", [1, -1])
def test_only_shards_of_the_current_count_are_summed(order: int) -> None:
    shards = [
        shard(0, 1, 1, hours_asked=9, retries={"timeout": 9}),
        shard(0, 2, 7, hours_asked=1, bytes=10, retries={"timeout": 1}),
        shard(1, 2, 6, hours_asked=2, bytes=20, retries={"timeout": 2, "server error": 1}),
    ]
    reported = ingest_report_of(shards[::order])
    assert reported is not None
    assert (reported.hours_asked, reported.bytes) == (3, 30)
    assert reported.retries == {"timeout": 3, "server error": 1}
    assert ingest_report_of([]) is None
