"""Fetch hourly weather from Open-Meteo and store every response unchanged."""
