"""`python -m lake_steps create|publish|upkeep`."""

import argparse
import json
import logging
import os
import sys
from dataclasses import asdict

from weather.exit_codes import ExitCode, StepError
from weather.settings import LakeSettings, read_settings
from weather.window import window_of_environment


def main(arguments: list[str] | None = None) -> int:
    """Run one step and say what it did as one line of JSON; the exit code is an ExitCode."""
    parser = argparse.ArgumentParser(prog="lake_steps", description=__doc__)
    parser.add_argument("step", choices=("create", "publish", "upkeep"))
    step = parser.parse_args(arguments).step
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        print(json.dumps(_run(step), default=str), flush=True)
    except StepError as error:
        print(f"{step}: {error}", file=sys.stderr)
        return error.exit_code
    return ExitCode.OK


def _run(step: str) -> dict[str, object]:
    settings = read_settings(LakeSettings)
    if step == "create":
        from lake_steps.create import create

        create(settings)
        return {"lake": "ready"}
    if step == "publish":
        from lake_steps.publish import publish

        window = window_of_environment(
            os.environ.get("WEATHER_WINDOW_START"), os.environ.get("WEATHER_WINDOW_END")
        )
        return publish(settings, window).model_dump(mode="json")
    from lake_steps.upkeep import keep_up

    return asdict(keep_up(settings))


if __name__ == "__main__":
    sys.exit(main())
