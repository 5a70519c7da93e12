"""`make up`: everything with its schedule, on the ports that the README names, until Ctrl-C."""

import sys
import time
from collections.abc import Mapping

from local.airflow_services import running_airflow
from local.api import running_api
from local.folders import State
from local.ports import require_free
from local.progress import Progress
from local.session import running_session
from local.signals import AskedToEnd
from local.terminal import ctrl_c_for_us_alone

AIRFLOW_PORT = 8080
API_PORT = 8000
S3_PORT = 9000
WATCH_SECONDS = 1.0


def keep_up(outside: Mapping[str, str], state: State) -> int:
    """Keep everything running until a signal asks us to end; 0, as that is the way to end it.

    StepError is raised when a service ends by itself.
    """
    require_free(AIRFLOW_PORT, "Airflow")
    require_free(API_PORT, "the API")
    with ctrl_c_for_us_alone():
        try:
            _run_until_asked_to_end(outside, state, Progress(sys.stdout))
        except AskedToEnd:
            print("nothing is left running", flush=True)
    return 0


def _run_until_asked_to_end(outside: Mapping[str, str], state: State, progress: Progress) -> None:
    with (
        running_session(outside, state, progress, s3_port=S3_PORT) as session,
        running_api(session.environment, API_PORT, state.log("api")) as api,
        running_airflow(session, AIRFLOW_PORT) as airflow,
    ):
        progress.done("Airflow and its schedule started")
        print(
            f"""
Airflow  {airflow.address}  user admin, password {session.credentials.airflow_password}
API      {api.address}  (GET /weather/summary, /docs)
S3       {session.environment["AWS_ENDPOINT_URL"]}  (`make shell` has its keys)
logs     {state.logs}

{session.attribution}

Ctrl-C ends all of it.""",
            flush=True,
        )
        try:
            while True:
                session.require_running()
                for service in (api.service, *airflow.services):
                    service.require_running()
                time.sleep(WATCH_SECONDS)
        except AskedToEnd:
            print("\nending everything, which takes some seconds ...", flush=True)
            raise
