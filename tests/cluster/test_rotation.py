"""The runbook's commands change every password."""

import re
import subprocess

from local.environment import PROJECT
from tests.cluster.installation import install_again
from tests.cluster.namespaces import AIRFLOW
from tests.cluster.system import System
from tests.cluster.waiting import wait_for

PAGE = PROJECT / "docs" / "runbooks" / "rotate-credentials.md"
COMMAND = re.compile(r"^ {7}(kubectl .*|make cluster)$", re.MULTILINE)
SECRETS = ("weather-store-root", "weather-store-dbt", "weather-postgres")
SECONDS_TO_BE_AVAILABLE = 120


def test_every_password_changes_and_no_data_are_lost(system: System) -> None:
    system.settle()
    before = {name: system.cluster.secret(name) for name in SECRETS}
    commands = COMMAND.findall(PAGE.read_text(encoding="utf-8"))
    assert commands.count("make cluster") == 1
    for command in commands:
        if command == "make cluster":
            install_again(system.cluster)
        else:
            subprocess.run(command, shell=True, check=True)

    after = {name: system.cluster.secret(name) for name in SECRETS}
    assert all(after[name] != before[name] for name in SECRETS)
    system.airflow.login = system.cluster.secret("weather-airflow-login", AIRFLOW)
    wait_for(
        "Airflow is available",
        lambda: system.airflow.when_available(system.airflow.tasks),
        SECONDS_TO_BE_AVAILABLE,
        system.cluster.picture,
    )
    system.await_success(system.trigger("new-passwords"))
    system.assert_nothing_lost_nothing_doubled()
