"""The one-machine runtime: settings as environment variables, services as child processes."""
