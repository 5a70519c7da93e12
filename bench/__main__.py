"""`python -m bench`: measure, print a table and write bench/results.json."""

import sys

from bench.api import measure_api
from bench.cluster import measure_cluster
from bench.dag_import import measure_dag_import
from bench.images import measure_images
from bench.pipeline import measure_hours, measure_locations
from bench.results import RESULTS, Result, table_of, write_results
from bench.sandbox import running_sandbox
from local.session import Progress
from local.supervisor import Interrupted, raise_on_signal
from weather.errors import StepError


def main() -> int:
    """Run all benchmarks, each in several rounds. Return the exit code."""
    raise_on_signal()
    progress = Progress()
    results: list[Result] = []
    try:
        results += measure_dag_import(progress, rounds=5)
        with running_sandbox() as sandbox:
            progress.done("S3 and replay servers started")
            results += measure_hours(sandbox, progress, rounds=5)
            results += measure_locations(sandbox, progress, rounds=3)
            results += measure_api(sandbox, progress, rounds=5)
        results += measure_images(progress, rounds=3)
        results += measure_cluster(progress, rounds=3)
    except StepError as error:
        # Earlier results took minutes to measure, and are still valid.
        print(table_of(results))
        print(f"bench: {error}", file=sys.stderr)
        return error.exit_code
    except Interrupted as interrupted:
        return interrupted.exit_code
    write_results(results)
    print(table_of(results))
    print(f"written to {RESULTS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
