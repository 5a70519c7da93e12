"""Files of the API's own folders and packages, as answers."""

from pathlib import Path

from fastapi import Response

MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


def file_answer(file: Path, cache_control: str | None) -> Response:
    """A file as it is.

    Args:
        file: its suffix is one of `MEDIA_TYPES`.
        cache_control: how it may be kept; None says nothing of that, and nobody keeps it.
    """
    headers = {} if cache_control is None else {"Cache-Control": cache_control}
    return Response(file.read_bytes(), media_type=MEDIA_TYPES[file.suffix], headers=headers)
