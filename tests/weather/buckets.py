"""Create buckets for single tests."""

from uuid import uuid4

from local.store import S3Server, s3_client


def made_bucket(server: S3Server) -> str:
    """Create a bucket on the server and return its name."""
    name = f"weather-{uuid4().hex}"
    s3_client(server).create_bucket(Bucket=name)
    return name
