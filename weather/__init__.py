"""The pipeline's steps, and the modules that they share."""
