"""Recordings beside the others of their voice: which are one voice's, and the second pass."""
