"""Experiments: protocols, all models at once, and the report's proposed features."""
