"""Time limits of tests."""

PATIENCE = 60
"""Seconds that anything may take on a busy machine."""
