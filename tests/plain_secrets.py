"""Find passwords in manifests outside Secrets, and weak passwords in Secrets."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from tests.pod_rules import Manifest, pods_of

NAMES = re.compile(
    r"(?i)(password|passwd|passphrase|secret|token|api_?key|private_?key|fernet|(^|_)pass$)"
)
"""Names of secret values."""

NOT_SECRET = re.compile(r"(?i)(_file|_path|_name|_names|_id|_ttl|_cmd|_enabled|_url|_seconds)$")
"""Suffixes of names that only refer to a secret."""

ASSIGNMENT = re.compile(r"(?m)^[ \t]*(?:export )?([A-Za-z_][\w.-]*)[ \t]*[=:][ \t]*(\S.*)$")
ADDRESS_WITH_PASSWORD = re.compile(r"[a-z+]+://[^\s/:@'\"]*:(?![${])[^\s/@'\"]+@")
REFERENCE = re.compile(r"""^["']?(\$|\{\{|None\b|null\b|true\b|false\b|True\b|False\b|["']{2}|$)""")
"""References to another place, and empty values."""

DEFAULTS = {"admin", "airflow", "minio", "minioadmin", "password", "postgres", "root", "test", ""}
FEWEST_CHARACTERS = 16


def plain_secrets(manifests: Iterable[Manifest]) -> list[str]:
    """Return the places of passwords outside Secrets: in environments, arguments, ConfigMaps.

    The result never contains the values.
    """
    manifests = list(manifests)
    hidden = [manifest for manifest in manifests if manifest["kind"] == "Secret"]
    shown = [manifest for manifest in manifests if manifest["kind"] != "Secret"]
    return [*_by_name(shown), *_in_texts(shown), *_copies(hidden, shown)]


def weak_secrets(manifests: Iterable[Manifest]) -> list[str]:
    """Return the passwords in Secrets that are short or a product's default."""
    return [
        f"{_place(manifest)}: {key} is a default or shorter than {FEWEST_CHARACTERS} characters"
        for manifest in manifests
        if manifest["kind"] == "Secret"
        for key, value in secret_values(manifest).items()
        if _is_secret(key) and (value.lower() in DEFAULTS or len(value) < FEWEST_CHARACTERS)
    ]


def secret_values(manifest: Manifest) -> dict[str, str]:
    """Return a Secret's decoded values by key."""
    encoded = manifest.get("data") or {}
    decoded = {key: base64.b64decode(value).decode() for key, value in encoded.items()}
    return {**decoded, **(manifest.get("stringData") or {})}


def _is_secret(name: str) -> bool:
    name = name.replace("-", "_")
    return bool(NAMES.search(name)) and not NOT_SECRET.search(name)


def _by_name(manifests: list[Manifest]) -> Iterator[str]:
    for pod in pods_of(manifests):
        for place, container in pod.containers:
            for variable in container.get("env") or []:
                value = str(variable.get("value") or "")
                if _is_secret(variable["name"]) and not REFERENCE.match(value):
                    yield f"{place}: variable {variable['name']} has its value in plain sight"


def _in_texts(manifests: list[Manifest]) -> Iterator[str]:
    for manifest in manifests:
        for text in _texts(manifest):
            if ADDRESS_WITH_PASSWORD.search(text):
                yield f"{_place(manifest)}: an address with its password in it"
    for manifest in manifests:
        if manifest["kind"] == "ConfigMap":
            for file, text in (manifest.get("data") or {}).items():
                for name, value in [(file, text), *ASSIGNMENT.findall(text)]:
                    one_line = "\n" not in value.strip()
                    if one_line and _is_secret(name) and not REFERENCE.match(value):
                        yield f"{_place(manifest)}: {name} has its value in plain sight"


def _copies(secrets: list[Manifest], others: list[Manifest]) -> Iterator[str]:
    values = {
        (_place(secret), key): value
        for secret in secrets
        for key, value in secret_values(secret).items()
        if _is_secret(key) and len(value) >= FEWEST_CHARACTERS
    }
    for manifest in others:
        text = json.dumps(manifest)
        for (place, key), value in values.items():
            if value in text or base64.b64encode(value.encode()).decode() in text:
                yield f"{_place(manifest)}: shows {key} of {place}"


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for value in content.values():
            yield from _texts(value)
    elif isinstance(content, list):
        for value in content:
            yield from _texts(value)


def _place(manifest: Manifest) -> str:
    return f"{manifest['kind']}/{manifest['metadata']['name']}"
