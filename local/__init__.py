"""The pipeline on one machine: its services as child processes, its settings as an environment."""
