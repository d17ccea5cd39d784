"""Evaluation: labels, scores, calibration, groups and their figures."""
