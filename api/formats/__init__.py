"""Rows as JSON, CSV, Parquet and Arrow, and content negotiation."""
