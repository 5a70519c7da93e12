"""The settings, all of them environment variables, in one typed place.

A step reads only the groups that it needs, so that no step asks for a secret it does not use.
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
DEFAULT_LOOKBACK_HOURS = 168

_ADDRESS: TypeAdapter[AnyHttpUrl] = TypeAdapter(AnyHttpUrl)


def _without_closing_slash(address: str) -> str:
    parts = _ADDRESS.validate_python(address)
    # An address is logged and kept with each answer, so it is no place for a password.
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must be an address without user, password, query and fragment")
    return address.rstrip("/")


Address = Annotated[str, AfterValidator(_without_closing_slash)]


def _without_path(address: str) -> str:
    # S3 clients disagree on what a path means: some take it for the bucket, some leave it out.
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
    # Whoever cannot reach the catalog may print its address: dbt does.
    if PASSWORD_IN_CATALOG.search(catalog):
        raise ValueError("must hold no password: set it as PGPASSWORD")
    return catalog


Catalog = Annotated[str, AfterValidator(_without_password)]


class SettingsGroup(BaseSettings):
    """Fields named as their environment variables, in lower case; an empty variable is unset."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True)


class SourceSettings(SettingsGroup):
    """Where the weather comes from."""

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
    """The bucket that holds everything."""

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
    """What the DAG runs, over which hours and where."""

    weather_locations: Path = Field(
        DEFAULT_LOCATIONS, description="YAML file that lists the locations."
    )
    weather_runtime: Literal["local", "kubernetes"] = Field(
        "local", description="`local`: each step a subprocess; `kubernetes`: each step a pod."
    )
    weather_lookback_hours: int = Field(
        DEFAULT_LOOKBACK_HOURS,
        ge=1,
        le=2160,
        description="Hours that each run takes (again), ending with its own.",
    )


class KubernetesSettings(SettingsGroup):
    """Where pods run, and from which images, with `WEATHER_RUNTIME=kubernetes`."""

    weather_namespace: str = Field("weather", description="Kubernetes namespace of the pods.")
    weather_image_prefix: str = Field(
        "weather-", description="What comes before an image's name, such as a registry."
    )
    weather_image_tag: PinnedTag = Field(description="Tag of all images; never `latest`.")
    weather_dbt_pods: Literal["model", "watcher"] = Field(
        "model", description="`model`: a pod for each dbt model; `watcher`: one pod for all."
    )


class StoreSettings(BucketSettings):
    """The S3 store, under the names that S3 clients read by themselves."""

    model_config = SettingsConfigDict(validate_by_name=True, loc_by_alias=False)

    aws_endpoint_url: StoreAddress | None = Field(
        default=None,
        validation_alias=AliasChoices("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
        description="Address of the S3 store; unset, AWS itself.",
    )
    aws_access_key_id: str | None = Field(
        default=None,
        repr=False,
        description="User of the S3 store; unset, of `AWS_PROFILE` or a role.",
    )
    aws_secret_access_key: str | None = Field(
        default=None, repr=False, description="Password of the S3 store."
    )
    aws_session_token: str | None = Field(
        default=None, repr=False, description="Third part of temporary credentials."
    )
    aws_region: str = Field(
        default=DEFAULT_REGION,
        validation_alias=AliasChoices("AWS_REGION", "AWS_DEFAULT_REGION"),
        description="Region of the S3 store.",
    )
    aws_ca_bundle: FilePath | None = Field(
        default=None,
        description="PEM file of the CAs that the store's certificate is checked with.",
    )

    @model_validator(mode="after")
    def _both_keys_or_none(self) -> Self:
        if self.aws_access_key_id and not self.aws_secret_access_key:
            raise ValueError("AWS_SECRET_ACCESS_KEY: is missing")
        if self.aws_secret_access_key and not self.aws_access_key_id:
            raise ValueError("AWS_ACCESS_KEY_ID: is missing")
        return self


class LakeSettings(StoreSettings):
    """The lake: its catalog, and the store that holds its files."""

    lake_catalog: Catalog = Field(
        repr=False,
        pattern=r"^(sqlite|postgres):",
        description="DuckLake's catalog, `sqlite:<file>` or `postgres:<connection string>`; a "
        "password belongs in `PGPASSWORD`.",
    )


class ApiSettings(SettingsGroup):
    """How the API answers."""

    weather_api_cors_origins: str | None = Field(
        None,
        pattern=r"^(\*|https?://[^\s,/]+(\s*,\s*https?://[^\s,/]+)*)$",
        description="Origins whose pages may read the API's answers, by commas; `*` for all.",
    )
    weather_api_ready_mb: int = Field(
        64, ge=1, le=65536, description="Memory for the API's ready answers, in MB."
    )

    @property
    def allowed_origins(self) -> list[str]:
        """The origins one by one."""
        return [each.strip() for each in (self.weather_api_cors_origins or "").split(",") if each]


class NoticeSettings(SettingsGroup):
    """Who is told of late and failed runs, and what they are told to read."""

    weather_notice_url: Webhook | None = Field(
        None,
        repr=False,
        description='Webhook that late and failed runs are told to, as JSON `{"text": ...}`.',
    )
    weather_runbooks: str = Field(
        "docs/runbooks", description="Where notices find that folder, such as a web address."
    )


Group = TypeVar("Group", bound=SettingsGroup)


def read_settings(group: type[Group]) -> Group:
    """Read a group of settings from the environment.

    Raises:
        StepError: a setting is missing or malformed; the message names each such variable.
    """
    try:
        return group()
    except ValidationError as error:
        problems = "; ".join(
            "".join(f"{str(name).upper()}: " for name in problem["loc"][:1])
            + _plainly(problem["type"], problem["msg"])
            for problem in error.errors(include_input=False)
        )
        raise StepError(
            f"Wrong settings: {problems}. See docs/settings.md.",
            ExitCode.SETTING,
        ) from None


def _plainly(kind: str, message: str) -> str:
    if kind == "missing":
        return "is missing"
    message = message.removeprefix("Value error, ")
    return message if message[:2].isupper() else message[0].lower() + message[1:]
