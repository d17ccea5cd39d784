"""Results in several files: found among named paths, and merged to those of one run."""
