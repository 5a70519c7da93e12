"""An S3 store with one object and a proxy, both of which record requests."""

import ssl
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

KEY = "raw/object.txt"
BODY = b"sunny"

AWS_HOSTS = (
    "s3.amazonaws.com",
    "s3.us-east-1.amazonaws.com",
    "s3.eu-west-3.amazonaws.com",
    "s3-fips.us-east-1.amazonaws.com",
    "s3.cn-north-1.amazonaws.com.cn",
)
"""Hosts for which the proxy responds, so that no request leaves this machine."""


@dataclass(frozen=True)
class Seen:
    """A client's configuration, read from its request for the object."""

    url: str
    access_key: str
    region: str
    token: str | None
    proxy: str | None
    """User and password sent to the proxy. None without a proxy."""


@dataclass
class Server:
    """A running server and the requests that it has received."""

    port: int
    seen: list[Seen] = field(default_factory=list)


@contextmanager
def recording_server(*, tls: Path | None = None, is_proxy: bool = False) -> Iterator[Server]:
    """Run a store or a proxy.

    Args:
        tls: a PEM file with a key and a certificate; a proxy uses it inside of its tunnels.
        is_proxy: respond for other hosts, and record requests to the proxy itself.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if tls:
        context.load_cert_chain(tls)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        tunnel: str | None = None
        login: str | None = None

        def do_CONNECT(self) -> None:
            self.tunnel, self.login = self.path, self._login()
            self.send_response(200)
            self.end_headers()
            self.connection = context.wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb", buffering=0)
            # Python's client opens a tunnel in HTTP/1.0.
            self.close_connection = False

        def finish(self) -> None:
            super().finish()
            self.connection.close()

        def do_GET(self) -> None:
            self._record()
            body = BODY
            if wanted := self.headers["Range"]:
                first, _, last = wanted.removeprefix("bytes=").partition("-")
                body = BODY[int(first) : int(last or len(BODY)) + 1]
            self.send_response(206 if wanted else 200)
            if wanted:
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(BODY)}")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", '"1"')
            self.send_header("Last-Modified", "Thu, 26 Nov 2026 05:00:00 GMT")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815 (named by the class)

        def _record(self) -> None:
            path = urlsplit(self.path)
            host = (self.tunnel or path.netloc or self.headers["Host"]).removesuffix(":443")
            is_secure = self.tunnel or (tls and not is_proxy)
            credential = self.headers["Authorization"].partition("Credential=")[2].split("/")
            server.seen.append(
                Seen(
                    url=f"{'https' if is_secure else 'http'}://{host}{path.path}",
                    access_key=credential[0],
                    region=credential[2],
                    token=self.headers["X-Amz-Security-Token"],
                    proxy=(self.login if self.tunnel else self._login()) if is_proxy else None,
                )
            )

        def _login(self) -> str:
            header = self.headers["Proxy-Authorization"] or ""
            return b64decode(header.removeprefix("Basic ")).decode()

        def log_message(self, *args: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *args: object) -> None:
            """Ignore connections closed by clients that do not trust the certificate."""

    with Quiet(("127.0.0.1", 0), Handler) as listening:
        if tls and not is_proxy:
            listening.socket = context.wrap_socket(
                listening.socket, server_side=True, do_handshake_on_connect=False
            )
        server = Server(listening.server_address[1])
        thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        listening.shutdown()
        thread.join()


def write_certificates(folder: Path) -> tuple[Path, Path]:
    """Write a private CA's certificate, and a key with a certificate of it for this machine."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = _named("Private CA")
    ca = _certificate(ca_name, ca_key.public_key(), ca_name).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    names = ["localhost", *(f"{each}{host}" for host in AWS_HOSTS for each in ("", "*."))]
    hosts = x509.SubjectAlternativeName(
        [*map(x509.DNSName, names), x509.IPAddress(ip_address("127.0.0.1"))]
    )
    own = _certificate(_named("localhost"), key.public_key(), ca_name).add_extension(
        hosts, critical=False
    )
    pem = serialization.Encoding.PEM
    bundle, both = folder / "ca.pem", folder / "server.pem"
    bundle.write_bytes(ca.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    both.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + own.sign(ca_key, hashes.SHA256()).public_bytes(pem)
    )
    return bundle, both


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _certificate(
    subject: x509.Name, key: ec.EllipticCurvePublicKey, issuer: x509.Name
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(days=1),
        not_valid_after=now + timedelta(days=1),
    )
