"""Time limits of tests."""

TIMEOUT_SECONDS = 60
"""Time limit in seconds of every wait, even on a busy machine."""
