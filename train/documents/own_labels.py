"""What a few recordings with labels of one's own give, as a table."""

from serctl.text import markdown_table
from serctl.train.documents.measurements import Measurements

CORPORA = {"savee": "SAVEE", "ravdess": "RAVDESS"}


def own_labels(measurements: Measurements) -> str:
    """Tabulate UA by number of clips, beside the model as it was."""
    rows = []
    found = [one["own-labels"] for one in measurements.values() if "own-labels" in one]
    for task, measured in found[0]["tasks"].items() if found else ():
        labels, corpus = measured["labels"], CORPORA[measured["corpus"]]
        for one in measured["rows"]:
            before = f"chance: {1 / len(labels):.1%}"
            if one["before"] is not None:
                gain = 100 * (one["ua"] - one["before"])
                before = f"{one['before']:.1%} ({gain:+.1f} points)"
            n_each = one["n_clips"] / len(labels)
            rows.append(
                (
                    f"{task}, {len(labels)} labels, {measured['n_speakers']} speakers of {corpus}",
                    f"{n_each:.0f}",
                    f"{one['ua']:.1%} ({one['ua_lowest']:.1%} to {one['ua_highest']:.1%})",
                    before,
                )
            )
    header = ("task", "clips a label", "UA, mean (lowest to highest)", "without training")
    return markdown_table(header, rows) if rows else ""
