"""Takes hours of weather from Open-Meteo and keeps every answer whole in the store."""
