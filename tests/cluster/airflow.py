"""Airflow's REST API, asked as a user with a password."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from tests.cluster.forward import Forward, NoForward
from tests.cluster.waiting import wait_for

DAG_ID = "weather_pipeline"
ENDED = {"success", "failed"}
REQUEST_SECONDS = 20.0
PAGE = 100


class Unavailable(Exception):
    """Airflow cannot answer at the moment."""


class Airflow:
    """The DAG's runs, their tasks and logs."""

    def __init__(self, forward: Forward, login: Mapping[str, str]) -> None:
        """Ask nothing yet.

        Args:
            forward: leads to the API server.
            login: `username` and `password`.
        """
        self.forward = forward
        self.login = login
        self._token = ""

    def trigger(self, run_id: str, conf: Mapping[str, Any] | None = None) -> None:
        """Make a run that takes the hours up to now."""
        body = {"dag_run_id": run_id, "logical_date": None, "conf": dict(conf or {})}
        self.ask("POST", f"dags/{DAG_ID}/dagRuns", json=body)

    def run(self, run_id: str) -> dict[str, Any]:
        """The run as Airflow tells it."""
        run: dict[str, Any] = self.ask("GET", _run_path(run_id))
        return run

    def runs(self, **filters: str) -> list[dict[str, Any]]:
        """All runs that pass the filters (the API's own names)."""
        runs: list[dict[str, Any]] = []
        while True:
            query = {"limit": PAGE, "offset": len(runs), "order_by": "run_after", **filters}
            page = self.ask("GET", f"dags/{DAG_ID}/dagRuns", params=query)
            runs += page["dag_runs"]
            if len(runs) >= page["total_entries"]:
                return runs

    def task_instances(self, run_id: str) -> list[dict[str, Any]]:
        """The newest try of each task of a run."""
        path = f"{_run_path(run_id)}/taskInstances"
        instances: list[dict[str, Any]] = self.ask("GET", path, params={"limit": PAGE})[
            "task_instances"
        ]
        return instances

    def tasks(self) -> list[dict[str, Any]]:
        """The DAG's tasks."""
        tasks: list[dict[str, Any]] = self.ask("GET", f"dags/{DAG_ID}/tasks")["tasks"]
        return tasks

    def log(self, run_id: str, task_id: str, try_number: int, map_index: int = -1) -> str:
        """The lines of a try's log."""
        content = self.ask(
            "GET",
            f"{_run_path(run_id)}/taskInstances/{quote(task_id)}/logs/{try_number}",
            params={"map_index": map_index, "full_content": "true"},
        )["content"]
        return "\n".join(str(line["event"] if isinstance(line, dict) else line) for line in content)

    def await_end(self, run_id: str, seconds: float, instead: Callable[[], str]) -> str:
        """Wait until the run has ended, well or not, and give its state.

        Args:
            run_id: of the run.
            seconds: to wait at most; times when Airflow cannot answer count.
            instead: tells what the cluster is like, for the message.

        Raises:
            WaitedInVain: the run has not ended in time.
        """

        def state() -> str | None:
            found = self.when_available(lambda: str(self.run(run_id)["state"]))
            return found if found in ENDED else None

        return wait_for(
            f"run {run_id} ends", state, seconds, lambda: f"{self.picture(run_id)}\n{instead()}"
        )

    def picture(self, run_id: str) -> str:
        """The run's tasks and their states, as lines for people."""
        instances = self.when_available(lambda: self.task_instances(run_id))
        if instances is None:
            return "  Airflow does not answer"
        return "\n".join(
            f"  {each['task_id']}: {each['state']}, try {each['try_number']}" for each in instances
        )

    @staticmethod
    def when_available(question: Callable[[], Any]) -> Any:
        """The question's answer; None where Airflow cannot answer at the moment."""
        try:
            return question()
        except Unavailable:
            return None

    def ask(self, method: str, path: str, **request: Any) -> Any:
        """The JSON that Airflow answers.

        Args:
            method: of HTTP.
            path: below /api/v2/.
            request: further arguments of `httpx.request`.

        Raises:
            Unavailable: no connection, or an error of the server.
            httpx.HTTPStatusError: Airflow refuses the request.
        """
        if not self._token:
            self._token = self._new_token()
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        answer = self._send(method, f"/api/v2/{path}", headers=headers, **request)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._token = ""
            raise Unavailable("the token has expired")
        if answer.is_error:
            raise httpx.HTTPStatusError(
                f"{method} {path}: {answer.status_code} {answer.text}",
                request=answer.request,
                response=answer,
            )
        return answer.json()

    def _new_token(self) -> str:
        answer = self._send("POST", "/auth/token", json=dict(self.login))
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            answer = httpx.request(
                method,
                f"{self.forward.url}{path}",
                timeout=REQUEST_SECONDS,
                trust_env=False,
                **request,
            )
        except (httpx.TransportError, NoForward) as error:
            self.forward.close()
            raise Unavailable(str(error)) from None
        if answer.is_server_error:
            raise Unavailable(f"{method} {path}: {answer.status_code}")
        return answer


def _run_path(run_id: str) -> str:
    return f"dags/{DAG_ID}/dagRuns/{quote(run_id)}"
