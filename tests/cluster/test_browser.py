"""Trigger a run in Airflow's UI with a real browser."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.cluster.airflow import DAG_ID
from tests.cluster.system import SECONDS_TO_END_A_RUN, System

ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MILLISECONDS_TO_LOAD = 60_000


@pytest.fixture
def page() -> Iterator[Page]:
    """Open a page in the machine's Chromium, or else in Playwright's."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        opened = browser.new_page(viewport={"width": 1500, "height": 900})
        opened.set_default_timeout(MILLISECONDS_TO_LOAD)
        expect.set_options(timeout=MILLISECONDS_TO_LOAD)
        yield opened
        browser.close()


def test_a_run_triggered_by_the_form_succeeds(system: System, page: Page, artifacts: Path) -> None:
    system.settle()
    runs_before = {run["dag_run_id"] for run in system.airflow.runs()}
    log_in(page, system)
    page.goto(f"{system.airflow.forward.url}/dags/{DAG_ID}")
    try:
        page.get_by_role("button", name=re.compile("^Trigger")).first.click()
        form = page.get_by_role("dialog")
        expect(form).to_contain_text("First hour")
        form.get_by_role("button", name=re.compile("^Trigger")).click()
        page.wait_for_url(re.compile(f"/dags/{DAG_ID}/runs/manual"))
        run_id = unquote(page.url.rpartition("/runs/")[2].partition("?")[0])
        badge = page.get_by_test_id("state-badge").first
        expect(badge).to_have_text("Success", timeout=SECONDS_TO_END_A_RUN * 1000)
    finally:
        page.screenshot(path=artifacts / "airflow-run.png")
    by_hand = system.airflow.runs(state="success", run_type="manual")
    assert {run["dag_run_id"] for run in by_hand} - runs_before == {run_id}


def log_in(page: Page, system: System) -> None:
    """Log in with the form and the password that `make cluster` names."""
    page.goto(f"{system.airflow.forward.url}/auth/login/")
    page.fill("input[name=username]", system.airflow.login["username"])
    page.fill("input[name=password]", system.airflow.login["password"])
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/auth/login" not in url)
