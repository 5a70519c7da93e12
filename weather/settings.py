"""Settings from environment variables, in typed groups, except those of weather/schedule.py.

A step reads only the groups that it needs, so that it needs no other step's secrets.
"""

import re
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    AliasChoices,
    AnyHttpUrl,
    Field,
    FilePath,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from weather.errors import ExitCode, StepError

DEFAULT_LOCATIONS = Path(__file__).resolve().parent.parent / "dags" / "locations.yaml"
DEFAULT_BUCKET = "weather"
DEFAULT_REGION = "us-east-1"

_ADDRESS: TypeAdapter[AnyHttpUrl] = TypeAdapter(AnyHttpUrl)


def _without_trailing_slash(address: str) -> str:
    parts = _ADDRESS.validate_python(address)
    # Addresses are logged and stored with each response, so they must hold no password.
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must be an address without user, password, query and fragment")
    return address.rstrip("/")


Address = Annotated[str, AfterValidator(_without_trailing_slash)]


def _without_path(address: str) -> str:
    # S3 clients disagree on paths: some take a path for the bucket, some drop it.
    if _ADDRESS.validate_python(address).path not in (None, "/"):
        raise ValueError("must be an address without a path")
    return address


StoreAddress = Annotated[Address, AfterValidator(_without_path)]


def _as_given(address: str) -> str:
    _ADDRESS.validate_python(address)
    return address


Webhook = Annotated[str, AfterValidator(_as_given)]


def _pinned(tag: str) -> str:
    if tag == "latest":
        raise ValueError("must name a fixed version, not 'latest'")
    return tag


PinnedTag = Annotated[str, AfterValidator(_pinned)]


PASSWORD_IN_CATALOG = re.compile(r"password\s*=|//[^/@]*:[^/@]*@", re.IGNORECASE)


def _without_password(catalog: str) -> str:
    # Error messages may contain the address; dbt's do.
    if PASSWORD_IN_CATALOG.search(catalog):
        raise ValueError("must not have a password: set PGPASSWORD instead")
    return catalog


Catalog = Annotated[str, AfterValidator(_without_password)]


class SettingsGroup(BaseSettings):
    """Base of the groups. Fields are environment variables in lower case. Empty means unset."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True)


class SourceSettings(SettingsGroup):
    """Open-Meteo's addresses and API key."""

    open_meteo_url: Address = Field(
        "https://api.open-meteo.com", description="Open-Meteo's address for recent hours."
    )
    open_meteo_archive_url: Address = Field(
        "https://historical-forecast-api.open-meteo.com",
        description="Open-Meteo's address for hours more than 90 days old.",
    )
    open_meteo_api_key: str | None = Field(
        None, repr=False, description="Key of a paid Open-Meteo plan."
    )


class BucketSettings(SettingsGroup):
    """Bucket of raw responses, lake and publication."""

    weather_bucket: str = Field(
        DEFAULT_BUCKET,
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        description="Bucket of the S3 store.",
    )

    @property
    def bucket_url(self) -> str:
        """The bucket as `s3://<bucket>`."""
        return f"s3://{self.weather_bucket}"


class PipelineSettings(BucketSettings):
    """Settings of the DAG: locations and runtime."""

    weather_locations: Path = Field(
        DEFAULT_LOCATIONS, description="YAML file that lists the locations."
    )
    weather_runtime: Literal["local", "kubernetes"] = Field(
        "local", description="`local`: each step a subprocess; `kubernetes`: each step a pod."
    )


class KubernetesSettings(SettingsGroup):
    """Namespace and images of the pods with `WEATHER_RUNTIME=kubernetes`."""

    weather_namespace: str = Field("weather", description="Kubernetes namespace of the pods.")
    weather_image_prefix: str = Field(
        "weather-", description="Prefix of the images' names, such as a registry."
    )
    weather_image_tag: PinnedTag = Field(description="Tag of all images; never `latest`.")
    weather_dbt_pods: Literal["model", "watcher"] = Field(
        "model", description="`model`: a pod for each dbt model; `watcher`: one pod for all."
    )


class StoreSettings(BucketSettings):
    """The S3 store, under the names that S3 clients use."""

    model_config = SettingsConfigDict(validate_by_name=True, loc_by_alias=False)

    aws_endpoint_url: StoreAddress | None = Field(
        default=None,
        validation_alias=AliasChoices("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
        description="Address of the S3 store; by default, AWS.",
    )
    aws_access_key_id: str | None = Field(
        default=None,
        repr=False,
        description="Access key of the S3 store; by default, from `AWS_PROFILE` or a role.",
    )
    aws_secret_access_key: str | None = Field(
        default=None, repr=False, description="Secret key of the S3 store."
    )
    aws_session_token: str | None = Field(
        default=None, repr=False, description="Session token of temporary credentials."
    )
    aws_region: str = Field(
        default=DEFAULT_REGION,
        validation_alias=AliasChoices("AWS_REGION", "AWS_DEFAULT_REGION"),
        description="Region of the S3 store.",
    )
    aws_ca_bundle: FilePath | None = Field(
        default=None,
        description="PEM file of the CAs that verify the store's certificate.",
    )

    @model_validator(mode="after")
    def _both_keys_or_none(self) -> Self:
        if self.aws_access_key_id and not self.aws_secret_access_key:
            raise ValueError("AWS_SECRET_ACCESS_KEY: is missing")
        if self.aws_secret_access_key and not self.aws_access_key_id:
            raise ValueError("AWS_ACCESS_KEY_ID: is missing")
        return self


class LakeSettings(StoreSettings):
    """The lake: its catalog, and the store with its files."""

    lake_catalog: Catalog = Field(
        repr=False,
        pattern=r"^(sqlite|postgres):",
        description="DuckLake's catalog, `sqlite:<file>` or `postgres:<connection string>`; a "
        "password belongs in `PGPASSWORD`.",
    )


class ApiSettings(SettingsGroup):
    """CORS and cache of the API."""

    weather_api_cors_origins: str | None = Field(
        None,
        pattern=r"^(\*|https?://[^\s,/]+(\s*,\s*https?://[^\s,/]+)*)$",
        description="CORS: origins whose pages may read the API, separated by commas; `*` for all.",
    )
    weather_api_ready_mb: int = Field(
        64, ge=1, le=65536, description="Memory for the API's cached responses, in MB."
    )

    @property
    def allowed_origins(self) -> list[str]:
        """The origins as a list."""
        return [each.strip() for each in (self.weather_api_cors_origins or "").split(",") if each]


class NoticeSettings(SettingsGroup):
    """Notices of late and failed runs."""

    weather_notice_url: Webhook | None = Field(
        None,
        repr=False,
        description='Webhook for notices of late and failed runs, as JSON `{"text": ...}`.',
    )
    weather_runbooks: str = Field(
        "docs/runbooks", description="Address of the runbooks in notices, such as a URL."
    )


Group = TypeVar("Group", bound=SettingsGroup)


def read_settings(group: type[Group]) -> Group:
    """Read a group of settings from the environment.

    Raises:
        StepError: a setting is missing or malformed; the message names every such variable.
    """
    try:
        return group()
    except ValidationError as error:
        problems = "; ".join(
            "".join(f"{str(name).upper()}: " for name in problem["loc"][:1])
            + _problem_text(problem["type"], problem["msg"])
            for problem in error.errors(include_input=False)
        )
        raise StepError(
            f"Wrong settings: {problems}. See docs/settings.md.",
            ExitCode.SETTING,
        ) from None


def _problem_text(kind: str, message: str) -> str:
    if kind == "missing":
        return "is missing"
    message = message.removeprefix("Value error, ")
    return message if message[:2].isupper() else message[0].lower() + message[1:]
