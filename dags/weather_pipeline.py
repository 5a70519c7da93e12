"""The DAG `weather_pipeline`: ingest, dbt models and publish, by default each hour."""

from datetime import timedelta
from pathlib import Path

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, TriggerRule
from orchestration.retry_policy import StepRetryPolicy
from orchestration.run_window import (
    WINDOW_PARAMS,
    cron_expression,
    run_window,
    skip_unless_upkeep_run,
)
from orchestration.runtime import choose_runtime
from orchestration.single_writer import wait_for_other_runs

from weather.locations import read_locations, shard_count
from weather.notices import announce_failure, deadline_alert
from weather.schedule import ScheduleSettings
from weather.settings import PipelineSettings, read_settings

settings = read_settings(PipelineSettings)
schedule = read_settings(ScheduleSettings)
runtime = choose_runtime(settings)
shards = shard_count(len(read_locations(settings.weather_locations)))
# Without a URI: Airflow rejects one name with the URIs of two buckets, and fails the task.
mart = Asset("daily_weather_stats")

with DAG(
    dag_id="weather_pipeline",
    description="Hourly weather from Open-Meteo and other sources into the lake",
    doc_md=Path(__file__).with_suffix(".md").read_text(encoding="utf-8"),
    schedule=CronDataIntervalTimetable(
        cron_expression(schedule.weather_schedule_hours), timezone="UTC"
    ),
    # No start_date: Airflow gives a run before it no tasks, and the run succeeds. run_window()
    # fails such a run.
    catchup=False,
    # Runs write to the same tables. Airflow counts a backfill's runs apart, so these wait in
    # wait_for_other_runs.
    max_active_runs=1,
    max_active_tasks=runtime.max_active_tasks,
    params=WINDOW_PARAMS,
    user_defined_macros={"run_window": run_window},
    deadline=deadline_alert(timedelta(minutes=45)),
    default_args={
        # Holds across runs, so also for a cleared task of an older run.
        "max_active_tis_per_dag": 1,
        "retries": 4,
        # Airflow also waits this long after it has lost a worker.
        "retry_delay": timedelta(seconds=20),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=15),
        "retry_policy": StepRetryPolicy(),
        # Longer than a pod's deadline, so that the pod ends first and its log has the reason.
        "execution_timeout": timedelta(minutes=40),
        "on_failure_callback": announce_failure,
    },
    tags=["weather"],
) as dag:
    ingest = runtime.ingest_shards("ingest", shards, pre_execute=wait_for_other_runs)

    # A failed shard or location does not hold back the others ...
    arrived = EmptyOperator(task_id="arrived", trigger_rule=TriggerRule.ALL_DONE)
    models = runtime.dbt_models("models")
    publish = runtime.lake_step("publish", outlets=[mart])
    upkeep = runtime.lake_step("upkeep", pre_execute=skip_unless_upkeep_run)

    # ... but fails the run.
    complete = EmptyOperator(task_id="complete")

    ingest >> arrived >> models >> publish >> upkeep
    [ingest, publish] >> complete
