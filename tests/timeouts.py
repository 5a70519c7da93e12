"""Time limits of tests."""

TIMEOUT_SECONDS = 60
"""Seconds that anything may take on a busy machine."""
