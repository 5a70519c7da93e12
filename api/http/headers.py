"""The API's response headers with their descriptions, for OpenAPI and for CORS."""

ETAG_HEADERS = {
    "ETag": "Version of the response: send it as `If-None-Match` to get 304 until it changes."
}

UNCHANGED_HEADERS = {
    **ETAG_HEADERS,
    "Last-Modified": "Publication time of the snapshot.",
    "X-Weather-Stale": (
        "Present while the published snapshot cannot be loaded, with the reason: `store`, "
        "`lake`, `unpublished` or `defect`. The response is from the last loaded snapshot."
    ),
}
"""Headers of responses without rows, such as 304."""

ROW_HEADERS = {
    **UNCHANGED_HEADERS,
    "Link": 'The licence and, with `rel="next"`, the next page if there is one.',
    "X-Next-Cursor": "Value of the parameter `cursor` for the next page, if there is one.",
    "Attribution": "Attribution of the data, which names a replay of older observations.",
    "X-Weather-Source": "Names of the sources, with commas: `Open-Meteo`, or `replay of ...`.",
    "X-Weather-Newest-Hour": (
        "The location's newest hour with a value, in local time. Only in `/weather/hourly`."
    ),
    "Content-Disposition": "A file name, for all formats but JSON.",
}

RANGE_HEADERS = {
    "Accept-Ranges": "`bytes`: the header `Range` is supported. Absent for compressed bodies."
}

PART_HEADERS = {
    **RANGE_HEADERS,
    "Content-Range": "Position of this part, and the length of the whole body.",
}

RETRY_HEADERS = {"Retry-After": "Seconds until the next try."}

ID_HEADERS = {
    "X-Request-ID": "Id of the request in the logs: the request's own header, or a generated id."
}

EXPOSED_HEADERS = [*ROW_HEADERS, *PART_HEADERS, *RETRY_HEADERS, *ID_HEADERS]
"""Headers that pages of other origins may read."""
