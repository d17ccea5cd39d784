"""What a voice's other recordings give, as a table and in words."""

from typing import Any

from serctl.text import markdown_table
from serctl.train.documents.measurements import Measurements

WHOLE = "all of the speaker's"


def voices(measurements: Measurements) -> str:
    """Tabulate UA and accuracy of the same clips, alone and beside others of their speaker."""
    found = [one["voices"] for one in measurements.values() if "voices" in one]
    return voices_of(found[0]) if found else ""


def voices_of(measured: dict[str, Any]) -> str:
    """Table of what ``train/results/voices-<model>.json`` holds of one model."""
    rows = [
        (WHOLE, name, *_cells(measured["alone"][key], measured["whole"][key]))
        for key, name in (("six", "as they are, six emotions"), ("five", "as they are, five"))
    ]
    for name, scores in measured["mixes"].items():
        n, _, mix = name.partition(" ")
        rows.append((n, mix, *_cells(scores["alone"], scores["together"])))
    header = ("recordings", "mix", "UA alone", "together", "accuracy alone", "together")
    return markdown_table(header, rows)


def _cells(alone: dict[str, float], together: dict[str, float]) -> tuple[str, ...]:
    pairs = ((alone[key], together[key]) for key in ("ua", "wa"))
    return tuple(f"{value:.1%}" for pair in pairs for value in pair)
