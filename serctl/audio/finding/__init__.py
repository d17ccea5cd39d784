"""Finding recordings: in object stores, and what is left out."""
