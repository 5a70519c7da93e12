"""The API on a lake, and its rivals beside it for the same question."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from bench.api_lakes import DAYS_ASKED_FOR, question
from bench.api_rivals import RIVALS, Answer
from local.api import RunningApi, running_api
from local.health import responds
from local.ports import LOOPBACK, free_port
from local.processes import Command, python_module, running
from local.progress import Progress
from weather.errors import StepError

OURS, NOT_MODIFIED = "ours", "not_modified"
ASKED = (OURS, *RIVALS, NOT_MODIFIED)

START_SECONDS = 60.0
TRANSPORT_HEADERS = {"connection", "date", "server", "transfer-encoding"}
"""What uvicorn adds by itself."""


@dataclass(frozen=True)
class Asked:
    """What clients ask for: an address, and the headers that they send."""

    address: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Servers:
    """The API, and what is asked of it and of its rivals, by the names in `ASKED`."""

    api: RunningApi
    asked: Mapping[str, Asked]


@contextmanager
def running_servers(
    environment: Mapping[str, str], folder: Path, location: str, progress: Progress
) -> Iterator[Servers]:
    """All of them inside the `with`, each of them answering.

    Args:
        environment: the settings of the lake that is served.
        folder: where logs are written.
        location: whose days are asked for.
        progress: is told when all of them answer.

    Raises:
        StepError: one of them does not start, or the API does not answer as it is to.
    """
    path = question(location)
    with ExitStack() as stack:
        api = stack.enter_context(running_api(environment, free_port(), folder / "api.log"))
        address = f"{api.address}{path}"
        api.service.wait_until(lambda: responds(address), START_SECONDS)
        answer = checked_answer(address)
        file = folder / "answer.json"
        file.write_text(json.dumps(answer), encoding="utf-8")
        asked = {OURS: Asked(address, {})}
        for rival in RIVALS:
            serve = python_module("bench.api_rivals", rival, "--answer", str(file))
            command = Command(f"the rival {rival}", serve, environment, folder / f"{rival}.log")
            asked[rival] = Asked(stack.enter_context(running_rival(command, path)), {})
        asked[NOT_MODIFIED] = Asked(address, {"If-None-Match": dict(answer["headers"])["etag"]})
        progress.done("the API and its rivals answer")
        yield Servers(api, asked)


@contextmanager
def running_rival(command: Command, path: str) -> Iterator[str]:
    """Where a rival answers what is asked for, inside the `with`."""
    port = free_port()
    address = f"http://{LOOPBACK}:{port}{path}"
    on_port = replace(command, arguments=[*command.arguments, "--port", str(port)])
    with running(on_port) as service:
        service.wait_until(lambda: responds(address), START_SECONDS)
        yield address


def checked_answer(address: str) -> Answer:
    """The API's answer without encoding, which has a row for each day and can be asked for again.

    Raises:
        StepError: it has not.
    """
    headers = {"Accept-Encoding": "identity"}
    answer = httpx.get(address, headers=headers, trust_env=False)
    headers |= {"If-None-Match": answer.headers.get("etag", "")}
    unchanged = httpx.get(address, headers=headers, trust_env=False)
    days = len(answer.json()) if answer.is_success else 0
    if days != DAYS_ASKED_FOR or unchanged.status_code != httpx.codes.NOT_MODIFIED:
        raise StepError(
            f"The API answers {answer.status_code} with {days} days, and {unchanged.status_code}"
            f" to its own ETag; {DAYS_ASKED_FOR} days and 304 were to be measured"
        )
    return Answer(
        headers=[
            (name, value) for name, value in answer.headers.items() if name not in TRANSPORT_HEADERS
        ],
        body=answer.text,
    )
