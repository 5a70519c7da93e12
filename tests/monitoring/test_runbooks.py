"""Each alert, notice and tested fault has a runbook, and each runbook is used."""

import re

import pytest
import yaml
from orchestration.retry_policy import AFTER_A_KILL, KILLED
from orchestration.step_pod import FAILED_PODS_KEPT

from tests.monitoring.sources import PROJECT, alerts
from weather.errors import ExitCode

FOLDER = PROJECT / "docs" / "runbooks"
PAGES = {
    file.stem: file.read_text(encoding="utf-8")
    for file in FOLDER.glob("*.md")
    if file.name != "README.md"
}
INDEX = (FOLDER / "README.md").read_text(encoding="utf-8")
FAULTS = (PROJECT / "tests" / "cluster" / "test_killed_pods.py").read_text(encoding="utf-8")


def test_alerts_and_their_runbooks_match() -> None:
    for rule in alerts():
        assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{rule['alert']}.md"
    names = {rule["alert"] for rule in alerts()}
    assert {name for name in PAGES if name.startswith("Weather")} == names
    for name in names:
        assert f"`{name}` fires" in PAGES[name]


def test_each_notice_links_a_runbook() -> None:
    code = (PROJECT / "weather" / "notices.py").read_text(encoding="utf-8")
    linked = set(re.findall(r'"(run-late|Weather\w+)"', code))
    assert linked == {"run-late", "WeatherRunsFail"}
    assert linked <= set(PAGES)


def test_tested_faults_and_their_runbooks_match() -> None:
    """A parametrized test counts as one fault for each service."""
    names = re.findall(r"^def (test_\w+)", FAULTS, re.MULTILINE)
    services = re.findall(r'\((?:AIRFLOW|WEATHER), "([\w-]+)", "models', FAULTS)
    of_services = "test_a_service_is_killed_while_a_step_runs"
    assert of_services in names
    faults = {name for name in names if name != of_services}
    faults |= {f"{of_services}[{service}]" for service in services}
    tried = [
        re.findall(r"Tried on a cluster by `([^`]+)`", PAGES[name])
        for name in PAGES
        if name.startswith("fault-")
    ]
    assert all(len(each) == 1 for each in tried)
    assert {each[0] for each in tried} == faults
    assert len(tried) == len(faults)


@pytest.mark.parametrize("name", PAGES)
def test_a_runbook_has_the_standard_headings(name: str) -> None:
    headings = re.findall(r"^## (.*)$", PAGES[name], re.MULTILINE)
    wanted = ["Symptom", "What it means to users", "Confirm", "What to do", "Over when"]
    assert [each for each in headings if each in wanted] == wanted


def test_every_exit_code_is_in_the_runbook() -> None:
    lines = re.findall(r"^\| ([\d, ]+) \|", PAGES["WeatherRunsFail"], re.MULTILINE)
    codes_listed = [int(code) for codes in lines for code in codes.split(", ")]
    killed = {code for code in KILLED if code > 0}
    assert sorted(codes_listed) == sorted({*ExitCode} - {ExitCode.OK} | killed)


def test_durations_equal_those_in_the_code() -> None:
    assert f"stays as a pod for {FAILED_PODS_KEPT.days} days" in PAGES["WeatherRunsFail"]
    for name in ("fault-ingest-pod-killed", "fault-model-pod-killed"):
        assert f"tries again after {AFTER_A_KILL.seconds} seconds" in PAGES[name]

    dag = (PROJECT / "dags" / "weather_pipeline.py").read_text(encoding="utf-8")
    [minutes] = re.findall(r"deadline_alert\(timedelta\(minutes=(\d+)\)\)", dag)
    assert f"has not ended {minutes} minutes after it was queued" in PAGES["run-late"]

    values = yaml.safe_load((PROJECT / "helm-values" / "airflow.yaml").read_text(encoding="utf-8"))
    scheduler = values["config"]["scheduler"]
    seconds = (
        scheduler["scheduler_health_check_threshold"] + scheduler["orphaned_tasks_check_interval"]
    )
    assert f"what it had queued within {seconds} seconds" in PAGES["fault-scheduler-killed"]


def test_the_index_lists_every_runbook_by_title() -> None:
    listed = dict(re.findall(r"^- \[(.*)\]\((.*)\.md\)$", INDEX, re.MULTILINE))
    assert listed == {page.partition("\n")[0].removeprefix("# "): n for n, page in PAGES.items()}
