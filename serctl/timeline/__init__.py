"""Timelines: probabilities of windows become segments of one emotion each, with times."""
