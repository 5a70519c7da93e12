"""Benchmarks of the pipeline, the API, the images and a cluster: `make bench`."""
