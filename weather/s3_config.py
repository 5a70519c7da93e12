"""Configure both S3 clients, botocore and DuckDB, in the same way.

The clients read the environment by different rules. This module resolves session token, CA bundle,
proxy, region and address once, by botocore's rules, and passes them to both.
"""

import os
import re
import ssl
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from botocore import UNSIGNED
from botocore.config import Config
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError
from botocore.httpsession import get_cert_path
from botocore.session import Session
from botocore.utils import get_environ_proxies

from weather.errors import ExitCode, StepError
from weather.settings import StoreSettings

PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")

UNTRUSTED = re.compile(
    "CERTIFICATE_VERIFY_FAILED"
    # DuckDB's two HTTP clients, curl and httplib.
    "|SSL peer certificate or SSH remote key was not OK|SSL server verification failed"
)
"""Error messages about a certificate of an unknown CA."""

TRUST_ADVICE = "Set AWS_CA_BUNDLE to a PEM file with the CA certificate of the store."

AWS_HOST = re.compile(r"\.amazonaws\.com(\.cn)?$")


@cache
def _session() -> Session:
    """Return a session of botocore. Importing boto3 would double the start time of every step."""
    return Session()


class DuckDB(Protocol):
    """Type of a DuckDB connection, because not every image with this module has DuckDB."""

    def execute(self, query: str, /) -> object:
        """Run a statement."""


class S3Access:
    """Address, credentials, CA bundle and proxy of the store, for both clients."""

    def __init__(self, settings: StoreSettings) -> None:
        """Resolve the configuration without a request to the store.

        Raises:
            StepError: SETTING for a missing profile, credentials, CA bundle or an unusable proxy.
        """
        self._settings = settings
        self._session = _session()
        self._written: ReadOnlyCredentials | None = None
        try:
            self._region = self._find_region()
            self._credentials = self._find_credentials()
            self._address, self._is_path_style = self._find_address()
            self._proxy = _proxy_of(self._address)
            is_secure = self._address.scheme == "https"
            self._ca_bundle = self._find_ca_bundle() if is_secure else None
        except (BotoCoreError, ValueError) as error:
            raise _wrong(str(error)) from None

    def client(self, *, connect_seconds: float, read_seconds: float, attempts: int) -> Any:
        """Create botocore's client.

        Raises:
            StepError: SETTING for a region or address that botocore rejects.
        """
        config = Config(
            connect_timeout=connect_seconds,
            read_timeout=read_seconds,
            retries={"mode": "standard", "total_max_attempts": attempts},
            s3=_options("path" if self._is_path_style else "auto"),
            # Not all stores know the checksums that botocore adds since 1.36.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            proxies={self._address.scheme: self._proxy} if self._proxy else {},
        )
        settings = self._settings
        keys: dict[str, Any] = {
            "aws_access_key_id": settings.aws_access_key_id,
            "aws_secret_access_key": settings.aws_secret_access_key,
            "aws_session_token": settings.aws_session_token,
        }
        try:
            return self._session.create_client(
                "s3",
                endpoint_url=settings.aws_endpoint_url,
                region_name=self._region,
                verify=self._ca_bundle,
                config=config,
                # Without keys the client takes the session's credentials, and renews them.
                **(keys if settings.aws_access_key_id else {}),
            )
        except (BotoCoreError, ValueError) as error:
            raise _wrong(str(error)) from None

    def configure(self, connection: DuckDB) -> None:
        """Configure a DuckDB connection that has loaded httpfs.

        Raises:
            StepError: there are no credentials.
        """
        for name, value in self._duckdb_settings().items():
            connection.execute(f"SET GLOBAL {name} = {literal(value)}")
        self._written = None
        self.renew(connection)

    def renew(self, connection: DuckDB) -> None:
        """Pass renewed credentials to DuckDB. Call before each use.

        botocore renews temporary credentials at least 10 minutes before they expire.

        Raises:
            StepError: the credentials cannot be renewed.
        """
        try:
            current = self._credentials.get_frozen_credentials()
        except BotoCoreError as error:
            raise StepError(
                f"The credentials of the S3 store cannot be renewed: {_sentence(error)}. "
                "Check AWS_PROFILE or the role of this machine, then run the task again.",
                ExitCode.UNAVAILABLE,
            ) from None
        if current != self._written:
            connection.execute(self._secret(current))
            self._written = current

    def _find_region(self) -> str:
        if "aws_region" not in self._settings.model_fields_set:
            region: str | None = self._session.get_config_variable("region")
            if region:
                return region
        return self._settings.aws_region

    def _find_credentials(self) -> Credentials:
        settings = self._settings
        if settings.aws_access_key_id and settings.aws_secret_access_key:
            return Credentials(
                settings.aws_access_key_id,
                settings.aws_secret_access_key,
                settings.aws_session_token,
            )
        found: Credentials | None = self._session.get_credentials()
        if found is None:
            raise StepError(
                "Wrong settings: AWS_ACCESS_KEY_ID: is missing, and no profile or role of this "
                "machine has credentials for the S3 store. Set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.",
                ExitCode.SETTING,
            )
        return found

    def _find_address(self) -> tuple[SplitResult, bool]:
        """Return the store's address, and whether the bucket is in the path (path style)."""
        if self._settings.aws_endpoint_url is not None:
            # Other stores than AWS have no host name for each bucket.
            return urlsplit(self._settings.aws_endpoint_url), True
        # Partitions, FIPS, dual stack, dots in the bucket's name and profiles change the address.
        client: Any = self._session.create_client(
            "s3",
            region_name=self._region,
            config=Config(signature_version=UNSIGNED, s3=_options("auto")),
        )
        bucket = self._settings.weather_bucket
        url: str = client.generate_presigned_url("head_bucket", Params={"Bucket": bucket})
        found = urlsplit(url)
        host = found.netloc.removeprefix(f"{bucket}.")
        is_path_style = host == found.netloc or not AWS_HOST.search(found.hostname or "")
        return urlsplit(f"{found.scheme}://{host}"), is_path_style

    def _find_ca_bundle(self) -> str:
        for name, path in (
            ("AWS_CA_BUNDLE", self._settings.aws_ca_bundle),
            ("ca_bundle of the AWS profile", self._session.get_config_variable("ca_bundle")),
            ("REQUESTS_CA_BUNDLE", os.environ.get("REQUESTS_CA_BUNDLE")),
            ("SSL_CERT_FILE", os.environ.get("SSL_CERT_FILE")),
        ):
            if path:
                try:
                    ssl.create_default_context(cafile=path)
                except OSError as error:
                    reason = error.strerror or error
                    problem, advice = (
                        f"{name}: {path}: {reason}",
                        "Name a file of PEM certificates.",
                    )
                    raise _wrong(problem, advice) from None
                return str(path)
        return str(get_cert_path(True))

    def _duckdb_settings(self) -> dict[str, str]:
        proxy = urlsplit(self._proxy or "")
        found = {
            "http_proxy": f"{proxy.hostname}:{proxy.port or 80}" if self._proxy else "",
            "http_proxy_username": unquote(proxy.username or ""),
            "http_proxy_password": unquote(proxy.password or ""),
            # DuckDB's httplib client does not verify by default.
            "enable_server_cert_verification": "true",
        }
        if self._ca_bundle:
            found["ca_cert_file"] = self._ca_bundle
        if not self._proxy and any(os.environ.get(name) for name in _in_both_cases()):
            # DuckDB's default client, curl, would read these variables by other rules.
            found["httpfs_client_implementation"] = "httplib"
        return found

    def _secret(self, current: ReadOnlyCredentials) -> str:
        return (
            "CREATE OR REPLACE SECRET store (TYPE s3"
            f", KEY_ID {literal(current.access_key or '')}"
            f", SECRET {literal(current.secret_key or '')}"
            # Without it, DuckDB would read AWS_SESSION_TOKEN of the environment.
            f", SESSION_TOKEN {literal(current.token or '')}"
            f", REGION {literal(self._region)}"
            f", ENDPOINT {literal(self._address.netloc)}"
            f", USE_SSL {self._address.scheme == 'https'}"
            f", URL_STYLE {'path' if self._is_path_style else 'vhost'!r})"
        )


def _options(style: str) -> Any:
    # DuckDB names the region in the host name of every region, botocore of all but us-east-1.
    return {"us_east_1_regional_endpoint": "regional", "addressing_style": style}


def literal(text: str) -> str:
    """Quote a string for DuckDB's SQL."""
    return "'" + text.replace("'", "''") + "'"


def _proxy_of(address: SplitResult) -> str | None:
    """Find the proxy by botocore's rules. NO_PROXY may hold networks too."""
    if _is_in_network_without_proxy(address.hostname or ""):
        return None
    proxy: str | None = get_environ_proxies(address.geturl()).get(address.scheme)
    if proxy is None:
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    try:
        parts = urlsplit(proxy)
        is_usable = parts.scheme == "http" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise _wrong(
            f"{address.scheme.upper()}_PROXY is not an address such as http://proxy:3128",
            "DuckDB reaches proxies over HTTP only; NO_PROXY names hosts without a proxy.",
        )
    return proxy


def _is_in_network_without_proxy(host: str) -> bool:
    """Match NO_PROXY's networks, which curl supports and botocore does not."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    for part in re.split(r"[\s,]+", os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""):
        try:
            if address in ip_network(part, strict=False):
                return True
        except ValueError:
            continue
    return False


def _in_both_cases() -> list[str]:
    return [*PROXY_VARIABLES, *map(str.upper, PROXY_VARIABLES)]


def _wrong(problem: str, advice: str = "") -> StepError:
    return StepError(
        f"The S3 store cannot be used: {problem.rstrip('.')}. "
        f"{advice or 'Correct AWS_ENDPOINT_URL, AWS_REGION or AWS_PROFILE.'}",
        ExitCode.SETTING,
    )


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")
