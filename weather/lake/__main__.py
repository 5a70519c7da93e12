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
    """Run a command, print its result as one line of JSON, and return an ExitCode."""
    given = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        print(json.dumps(_run(given), default=str), flush=True)
    except StepError as error:
        print(f"{given.command}: {error}", file=sys.stderr)
        return error.exit_code
    return ExitCode.OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="weather.lake", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("create", "create an empty lake, or leave an existing one as it is"),
        ("publish", "publish the newest tested snapshot to readers"),
        ("upkeep", "maintenance: compact small files, expire old snapshots, delete unused files"),
    ):
        commands.add_parser(name, help=text)
    rebuild = commands.add_parser("rebuild", help="rebuild the lake from the responses in raw/")
    rebuild.add_argument(
        "--allow-fewer-hours",
        action="store_true",
        help="publish even if readers lose hours that raw/ does not hold",
    )
    storage = "a folder, or s3://<bucket>/<prefix> on the same S3 server"
    backup = commands.add_parser("backup", help="back up the catalog and the bucket")
    backup.add_argument("--to", required=True, metavar="TARGET", help=storage)
    restore = commands.add_parser("restore", help="restore the lake from a backup")
    restore.add_argument("--from", required=True, dest="source", metavar="SOURCE", help=storage)
    restore.add_argument("--replace", action="store_true", help="replace a lake that is not empty")
    return parser


def _run(given: argparse.Namespace) -> dict[str, object]:
    settings = read_settings(LakeSettings)
    if given.command == "create":
        from weather.lake.create import create

        create(settings)
        return {"lake": "ready"}
    if given.command == "publish":
        from weather.lake.publish import publish

        window = window_of_environment(
            os.environ.get("WEATHER_WINDOW_START"), os.environ.get("WEATHER_WINDOW_END")
        )
        return publish(settings, window).model_dump(mode="json")
    if given.command == "upkeep":
        from weather.lake.upkeep import maintain

        return asdict(maintain(settings))
    if given.command == "rebuild":
        from weather.lake.rebuild import rebuild

        return asdict(rebuild(settings, allow_fewer_hours=given.allow_fewer_hours))
    from weather.lake.backup_storage import open_backup_storage

    if given.command == "backup":
        from weather.lake.backup import back_up

        return asdict(back_up(settings, open_backup_storage(given.to, settings)))
    from weather.lake.restore import restore

    source = open_backup_storage(given.source, settings)
    return asdict(restore(settings, source, replace=given.replace))


if __name__ == "__main__":
    sys.exit(main())
