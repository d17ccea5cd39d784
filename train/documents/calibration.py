"""What a card says of confidence: calibration, and accuracy of the most confident predictions."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from serctl.text import markdown_table
from serctl.train.corpora.splits import CROSS_CORPUS
from serctl.train.documents.card_tables import share_of

COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.5)

CALIBRATION = (
    "Confidence is the highest softmax probability, with a temperature ({temperature:.2f}) fitted on "
    "the validation clips."
)
ECE = (
    "Over the {n_clips} test clips of {folds} of `new-speakers` with a prediction; ECE is the expected "
    "calibration error, in 15 bins of confidence. It holds for clips like these."
)
COVERAGE = (
    "Accuracy if only the most confident predictions are kept, as `--min-confidence` does: of all of "
    "them, and of so many."
)
COVERAGE_LIMIT = (
    "On recordings unlike these, expect confidence to be too high and to sort less: on a corpus that "
    "was left out of training, the ECE of `whisper` is 0.10 to 0.31 (train/results/whisper.json)."
)


def calibration(measurements: dict[str, Any]) -> str:
    """Tabulate calibration before and after temperature scaling."""
    rows = (
        (
            f"{when} temperature scaling",
            f"{one['ece']:.3f}",
            f"{one['brier']:.3f}",
            share_of(one["confidence"]),
            share_of(one["accuracy"]),
        )
        for when, one in measurements.get("calibration", {}).items()
    )
    header = ("", "ECE", "Brier score", "mean confidence", "accuracy")
    return markdown_table(header, rows) if "calibration" in measurements else ""


def coverage(measurements: dict[str, Any]) -> str:
    """Tabulate accuracy of the most confident clips, on new speakers and on other corpora.

    Within a bin of confidence, clips count as equally accurate, since only bins are kept.
    """
    rows = []
    if "calibration" in measurements:
        bins = [measurements["calibration"]["after"]["bins"]]
        rows.append(("new speakers", *_accuracies(bins)))
    bins = [
        measurements[split]["calibration"]["bins"]
        for split in measurements
        if split.startswith(CROSS_CORPUS) and "calibration" in measurements[split]
    ]
    if bins:
        rows.append(("a corpus that was left out of training", *_accuracies(bins)))
    header = ("accuracy of the most confident", *(f"{share:.0%}" for share in COVERAGES))
    return markdown_table(header, rows) if rows else ""


def _accuracies(every: Sequence[Sequence[dict[str, Any]]]) -> list[str]:
    """Accuracy at each of `COVERAGES`, from the bins of confidence of one or more test parts."""
    counts = np.array([[one["n_clips"] for one in bins] for bins in every])
    right = np.array([[one["n_clips"] * (one["accuracy"] or 0) for one in bins] for bins in every])
    covered = np.concatenate([[0], counts.sum(axis=0)[::-1].cumsum()])
    found = np.concatenate([[0], right.sum(axis=0)[::-1].cumsum()])
    wanted = [share * covered[-1] for share in COVERAGES]
    return [
        share_of(n_right / n)
        for n_right, n in zip(np.interp(wanted, covered, found), wanted, strict=True)
    ]
