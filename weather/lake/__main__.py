"""`python -m weather.lake create|publish|upkeep|backup|restore|rebuild`."""

import argparse
import json
import logging
import os
import sys
from dataclasses import asdict

from weather.errors import ExitCode, StepError
from weather.settings import LakeSettings, read_settings
from weather.window import window_of_environment


def main(arguments: list[str] | None = None) -> int:
    """Run one step and say what it did as one line of JSON; the exit code is an ExitCode."""
    given = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        print(json.dumps(_run(given), default=str), flush=True)
    except StepError as error:
        print(f"{given.step}: {error}", file=sys.stderr)
        return error.exit_code
    return ExitCode.OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="weather.lake", description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    for name, text in (
        ("create", "make an empty lake where there is none"),
        ("publish", "name the snapshot that readers see"),
        ("upkeep", "merge small files and delete what nothing refers to"),
    ):
        steps.add_parser(name, help=text)
    rebuild = steps.add_parser("rebuild", help="make the whole lake again from raw/ alone")
    rebuild.add_argument(
        "--allow-fewer-hours",
        action="store_true",
        help="publish although readers have hours that raw/ does not hold",
    )
    places = "a folder, or s3://<bucket>/<prefix> of the same store"
    backup = steps.add_parser("backup", help="copy catalog and store to another place")
    backup.add_argument("--to", required=True, metavar="PLACE", help=places)
    restore = steps.add_parser("restore", help="make the lake what a backup holds")
    restore.add_argument("--from", required=True, dest="source", metavar="PLACE", help=places)
    restore.add_argument(
        "--replace", action="store_true", help="put it in the place of a lake that is not empty"
    )
    return parser


def _run(given: argparse.Namespace) -> dict[str, object]:
    settings = read_settings(LakeSettings)
    if given.step == "create":
        from weather.lake.create import create

        create(settings)
        return {"lake": "ready"}
    if given.step == "publish":
        from weather.lake.publish import publish

        window = window_of_environment(
            os.environ.get("WEATHER_WINDOW_START"), os.environ.get("WEATHER_WINDOW_END")
        )
        return publish(settings, window).model_dump(mode="json")
    if given.step == "upkeep":
        from weather.lake.upkeep import keep_up

        return asdict(keep_up(settings))
    if given.step == "rebuild":
        from weather.lake.rebuild import rebuild

        return asdict(rebuild(settings, allow_fewer_hours=given.allow_fewer_hours))
    from weather.lake.places import place_of

    if given.step == "backup":
        from weather.lake.backup import back_up

        return asdict(back_up(settings, place_of(given.to, settings)))
    from weather.lake.restore import restore

    return asdict(restore(settings, place_of(given.source, settings), replace=given.replace))


if __name__ == "__main__":
    sys.exit(main())
