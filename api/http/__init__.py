"""HTTP: protocol, cache, conditional requests, CORS and errors."""
