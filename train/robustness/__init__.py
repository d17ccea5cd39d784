"""Robustness: accuracy on corrupted recordings, and overlap of test clips with training."""
