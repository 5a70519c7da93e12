"""What every step of the pipeline shares: settings, locations, windows, the store and the lake."""
