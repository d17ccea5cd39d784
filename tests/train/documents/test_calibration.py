"""Accuracy of the most confident predictions, from bins of confidence."""

from serctl.train.documents.calibration import coverage

BINS = [
    {"low": 0.0, "high": 0.5, "n_clips": 0, "accuracy": None},
    {"low": 0.5, "high": 0.75, "n_clips": 50, "accuracy": 0.2},
    {"low": 0.75, "high": 1.0, "n_clips": 50, "accuracy": 0.8},
]


def test_accuracy_rises_with_confidence():
    table = coverage({"calibration": {"after": {"bins": BINS}}})
    # Of 90: all 50 of the highest bin, and 40 of the next: (40 + 8) / 90.
    assert table.splitlines()[-1] == "| new speakers | 50.0% | 53.3% | 57.5% | 62.9% | 80.0% |"


def test_corpora_left_out_are_one_row():
    half = [{**one, "n_clips": 2, "accuracy": 0.5} for one in BINS]
    measured = {
        f"cross-corpus-{i}": {"calibration": {"bins": b}} for i, b in enumerate([BINS, half])
    }
    assert (
        coverage(measured).splitlines()[-1].startswith("| a corpus that was left out of training")
    )
    assert coverage(measured).splitlines()[-1].count("50.0%") == 1
    assert coverage({"new-speakers": {}, "cross-corpus-tess": {}}) == ""
