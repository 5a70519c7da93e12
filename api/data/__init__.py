"""The published snapshot in memory, and how it is loaded."""
