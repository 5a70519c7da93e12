"""Buckets that no other test uses."""

from uuid import uuid4

import boto3

from local.store import S3Server


def made_bucket(server: S3Server) -> str:
    """The name of a new bucket of the server."""
    name = f"weather-{uuid4().hex}"
    environment = server.environment
    boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    ).create_bucket(Bucket=name)
    return name
