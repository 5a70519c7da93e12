"""Whether an HTTP service answers."""

import httpx


def responds(address: str) -> bool:
    """Whether a GET of `address` is answered with success, within a second."""
    try:
        return httpx.get(address, timeout=1, trust_env=False).is_success
    except httpx.HTTPError:
        return False
