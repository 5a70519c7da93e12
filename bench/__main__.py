"""`python -m bench`: measure, print a table and write bench/results.json."""

import sys

from bench.api import measure_api
from bench.cluster import measure_cluster
from bench.dag_import import measure_dag_import
from bench.history import measure_history
from bench.images import measure_images
from bench.load import measure_load
from bench.results import RESULTS, Result, table_of, write_results
from bench.workplace import running_workplace
from local.progress import Progress
from local.signals import AskedToEnd, raise_when_asked_to_end
from weather.errors import StepError


def main() -> int:
    """Measure everything, a few rounds each; the exit code."""
    raise_when_asked_to_end()
    progress = Progress()
    results: list[Result] = []
    try:
        results += measure_dag_import(progress, rounds=5)
        with running_workplace() as workplace:
            progress.done("S3 and replay servers are up")
            results += measure_history(workplace, progress, rounds=5)
            results += measure_load(workplace, progress, rounds=3)
            results += measure_api(workplace, progress, rounds=5)
        results += measure_images(progress, rounds=3)
        results += measure_cluster(progress, rounds=3)
    except StepError as error:
        # What was measured took minutes, and is as good as ever.
        print("\n".join(table_of(results)))
        print(f"bench: {error}", file=sys.stderr)
        return error.exit_code
    except AskedToEnd as asked:
        return asked.exit_code
    write_results(results)
    print("\n".join(table_of(results)))
    print(f"written to {RESULTS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
