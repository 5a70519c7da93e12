"""Headers that every answer has."""

SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    # The styles and images inside the pages are Swagger UI's and our own page's.
    (
        b"content-security-policy",
        (
            b"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
            b"object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
    ),
]
"""They tell browsers to take every answer as what it says it is, and from here alone."""
