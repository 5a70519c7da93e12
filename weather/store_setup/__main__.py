"""`python -m weather.store_setup`."""

import json
import os
import sys
from dataclasses import asdict

from weather.errors import ExitCode, StepError
from weather.store_setup.make import make
from weather.store_setup.server import Server
from weather.store_setup.wanted import read_wanted


def main() -> int:
    """Make what is wanted and say what was done as one line of JSON; the code is an ExitCode."""
    try:
        wanted = read_wanted(os.environ)
        server = Server(wanted.endpoint, wanted.root)
        server.wait_until_it_answers(wanted.patience_seconds)
        print(json.dumps(asdict(make(wanted, server))), flush=True)
    except StepError as error:
        print(f"store_setup: {error}", file=sys.stderr)
        return error.exit_code
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
