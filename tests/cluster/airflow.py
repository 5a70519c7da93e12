"""Client of Airflow's REST API, with a user's password."""

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
    """Airflow is unavailable at the moment."""


class Airflow:
    """Client for the DAG's runs, their tasks and their logs."""

    def __init__(self, forward: Forward, login: Mapping[str, str]) -> None:
        """Create the client without sending a request.

        Args:
            forward: port-forward to the API server.
            login: `username` and `password`.
        """
        self.forward = forward
        self.login = login
        self._token = ""

    def trigger(self, run_id: str, conf: Mapping[str, Any] | None = None) -> None:
        """Trigger a run of the hours up to now."""
        body = {"dag_run_id": run_id, "logical_date": None, "conf": dict(conf or {})}
        self.request("POST", f"dags/{DAG_ID}/dagRuns", json=body)

    def run(self, run_id: str) -> dict[str, Any]:
        """Return the run."""
        run: dict[str, Any] = self.request("GET", _run_path(run_id))
        return run

    def runs(self, **filters: str) -> list[dict[str, Any]]:
        """Return all runs that match the filters (parameters of Airflow's API)."""
        runs: list[dict[str, Any]] = []
        while True:
            query = {"limit": PAGE, "offset": len(runs), "order_by": "run_after", **filters}
            page = self.request("GET", f"dags/{DAG_ID}/dagRuns", params=query)
            runs += page["dag_runs"]
            if len(runs) >= page["total_entries"]:
                return runs

    def task_instances(self, run_id: str) -> list[dict[str, Any]]:
        """Return the newest attempt of each task of a run."""
        path = f"{_run_path(run_id)}/taskInstances"
        instances: list[dict[str, Any]] = self.request("GET", path, params={"limit": PAGE})[
            "task_instances"
        ]
        return instances

    def tasks(self) -> list[dict[str, Any]]:
        """Return the DAG's tasks."""
        tasks: list[dict[str, Any]] = self.request("GET", f"dags/{DAG_ID}/tasks")["tasks"]
        return tasks

    def log(self, run_id: str, task_id: str, try_number: int, map_index: int = -1) -> str:
        """Return the lines of an attempt's log."""
        content = self.request(
            "GET",
            f"{_run_path(run_id)}/taskInstances/{quote(task_id)}/logs/{try_number}",
            params={"map_index": map_index, "full_content": "true"},
        )["content"]
        return "\n".join(str(line["event"] if isinstance(line, dict) else line) for line in content)

    def await_end(self, run_id: str, seconds: float, instead: Callable[[], str]) -> str:
        """Wait until the run has ended, and return its state.

        Args:
            run_id: the run's id.
            seconds: time limit, including times when Airflow is unavailable.
            instead: returns the cluster's state for the message.

        Raises:
            WaitTimeoutError: the run has not ended in time.
        """

        def state() -> str | None:
            found = self.when_available(lambda: str(self.run(run_id)["state"]))
            return found if found in ENDED else None

        return wait_for(
            f"run {run_id} ends", state, seconds, lambda: f"{self.picture(run_id)}\n{instead()}"
        )

    def picture(self, run_id: str) -> str:
        """Return the run's tasks and their states as readable lines."""
        instances = self.when_available(lambda: self.task_instances(run_id))
        if instances is None:
            return "  Airflow is unavailable"
        return "\n".join(
            f"  {each['task_id']}: {each['state']}, try {each['try_number']}" for each in instances
        )

    @staticmethod
    def when_available(call: Callable[[], Any]) -> Any:
        """Return the call's result, or None while Airflow is unavailable."""
        try:
            return call()
        except Unavailable:
            return None

    def request(self, method: str, path: str, **arguments: Any) -> Any:
        """Send a request and return the response's JSON.

        Args:
            method: HTTP method.
            path: below /api/v2/.
            arguments: further arguments of `httpx.request`.

        Raises:
            Unavailable: no connection, or a server error.
            httpx.HTTPStatusError: Airflow rejects the request.
        """
        if not self._token:
            self._token = self._new_token()
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        response = self._send(method, f"/api/v2/{path}", headers=headers, **arguments)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._token = ""
            raise Unavailable("the token has expired")
        if response.is_error:
            raise httpx.HTTPStatusError(
                f"{method} {path}: {response.status_code} {response.text}",
                request=response.request,
                response=response,
            )
        return response.json()

    def _new_token(self) -> str:
        response = self._send("POST", "/auth/token", json=dict(self.login))
        response.raise_for_status()
        return str(response.json()["access_token"])

    def _send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            response = httpx.request(
                method,
                f"{self.forward.url}{path}",
                timeout=REQUEST_SECONDS,
                trust_env=False,
                **arguments,
            )
        except (httpx.TransportError, NoForward) as error:
            self.forward.close()
            raise Unavailable(str(error)) from None
        if response.is_server_error:
            raise Unavailable(f"{method} {path}: {response.status_code}")
        return response


def _run_path(run_id: str) -> str:
    return f"dags/{DAG_ID}/dagRuns/{quote(run_id)}"
