"""Fake Kubernetes API for Helm: kinds and existing objects.

Helm's `lookup` finds nothing without a cluster. With this one it finds the objects it is given.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from tests.pod_rules import Manifest

Responses = dict[str, dict[str, Any]]

NOT_FOUND = {
    "kind": "Status",
    "apiVersion": "v1",
    "status": "Failure",
    "reason": "NotFound",
    "code": 404,
}


@contextmanager
def kubernetes_api(kinds: Sequence[Manifest], present: Sequence[Manifest]) -> Iterator[str]:
    """Serve the API, read-only, and yield its address.

    Args:
        kinds: manifests whose kinds the cluster knows.
        present: the cluster's existing objects.
    """
    responses = {**_discovery(kinds), **{_path(each): each for each in present}}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = responses.get(self.path.partition("?")[0])
            body = json.dumps(found or NOT_FOUND).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _discovery(kinds: Sequence[Manifest]) -> Responses:
    by_version: dict[str, set[str]] = defaultdict(set)
    for each in kinds:
        by_version[each["apiVersion"]].add(each["kind"])
    responses: Responses = {
        "/version": {"major": "1", "minor": "34", "gitVersion": "v1.34.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [_group(version) for version in sorted(by_version) if "/" in version],
        },
    }
    for version, names in by_version.items():
        responses[_root(version)] = {
            "kind": "APIResourceList",
            "groupVersion": version,
            "resources": [
                {"name": _plural(name), "kind": name, "namespaced": True, "verbs": ["get"]}
                for name in sorted(names)
            ],
        }
    return responses


def _group(version: str) -> dict[str, Any]:
    name, _, short = version.partition("/")
    named = {"groupVersion": version, "version": short}
    return {"name": name, "versions": [named], "preferredVersion": named}


def _root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"


def _plural(kind: str) -> str:
    return f"{kind.lower()}s"


def _path(manifest: Manifest) -> str:
    name, namespace = manifest["metadata"]["name"], manifest["metadata"]["namespace"]
    root, plural = _root(manifest["apiVersion"]), _plural(manifest["kind"])
    return f"{root}/namespaces/{namespace}/{plural}/{name}"
