"""Fetch hourly weather from the locations' sources and store every response unchanged."""
