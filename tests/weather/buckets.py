"""Buckets that no other test uses."""

from uuid import uuid4

from local.store import S3Server, s3_client


def made_bucket(server: S3Server) -> str:
    """The name of a new bucket of the server."""
    name = f"weather-{uuid4().hex}"
    s3_client(server).create_bucket(Bucket=name)
    return name
