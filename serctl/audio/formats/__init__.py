"""Formats: what a file is by its bytes, what its header promises, and where its sound lies."""
