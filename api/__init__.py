"""The published daily weather over HTTP, JSON for programs and a page for people."""
