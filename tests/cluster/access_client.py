"""Test the rights of a pod's credentials and print the outcomes. Runs as `python -c` in a pod.

Usage: `... [["get", "raw/x"], ["sql", "select 1"]]`. Prints a JSON list with
"allowed" or the error's code for each action.
"""

import json
import sys
from typing import Any

from botocore.exceptions import ClientError
from botocore.session import Session

from weather.settings import StoreSettings, read_settings


def tried_on_store(action: str, target: str, store: Any, bucket: str) -> None:
    if action == "list":
        store.list_objects_v2(Bucket=bucket, Prefix=target, MaxKeys=1)
    elif action == "get":
        store.get_object(Bucket=bucket, Key=target)["Body"].read()
    elif action == "put":
        store.put_object(Bucket=bucket, Key=target, Body=b"written by a test")
    else:
        store.delete_object(Bucket=bucket, Key=target)


def tried_on_lake(statement: str) -> None:
    from weather.ducklake import attached_lake
    from weather.settings import LakeSettings

    with attached_lake(read_settings(LakeSettings)) as lake:
        lake.execute(statement).fetchall()


def outcome(action: str, target: str) -> str:
    settings = read_settings(StoreSettings)
    store = Session().create_client("s3", endpoint_url=settings.aws_endpoint_url)
    try:
        if action == "sql":
            tried_on_lake(target)
        else:
            tried_on_store(action, target, store, settings.weather_bucket)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    except Exception as error:
        return "permission denied" if "permission denied" in str(error) else repr(error)
    return "allowed"


if __name__ == "__main__":
    outcomes = [outcome(action, target) for action, target in json.loads(sys.argv[1])]
    # DuckDB's progress bar leaves its line open.
    print(f"\n{json.dumps(outcomes)}")
