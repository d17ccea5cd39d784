"""Timelines of a short conversation made of fold 0's clips; benchmarks/timeline.py makes long ones."""

import pytest
from support.conversations import shares
from support.timeline_scores import SPECS, clips_of_fold, score_timelines

from serctl.models.loading import load_model

pytestmark = pytest.mark.slow


def test_segments_are_mostly_right(fold0, tmp_path):
    emotions = load_model("cnn").config.emotions
    clips = clips_of_fold(fold0, 0, emotions, n_most=3)
    counts = score_timelines("cnn", clips, [0], 240, tmp_path, SPECS)
    found = {name: shares(of_seeds) for name, of_seeds in counts.items()}
    single, smoothed = found["single windows"], found["Viterbi"]
    assert smoothed["right"] > max(60, single["right"])
    assert smoothed["f1"] > single["f1"]
    assert smoothed["missed"] < 8
    assert smoothed["events"] < 3
