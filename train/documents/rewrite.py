"""Generated tables of the documents, and the cards, from measurements.

    python -m serctl.train.documents.rewrite

Run in a checkout. What stands between ``<!-- table: NAME -->`` and ``<!-- end -->`` in `DOCUMENTS`
is replaced by the table of that name, made of ``train/results`` alone, and every card in
``weights`` is rewritten. A second run changes nothing.
"""

import json
import re
from pathlib import Path
from statistics import mean
from typing import Any

from serctl.errors import ResultsError
from serctl.models.config import CONFIG_FILE, read_config
from serctl.models.loading import MEASURED_FILE
from serctl.train.corpora.splits import NEW_SPEAKERS
from serctl.train.documents.card import card_text
from serctl.train.documents.measurements import (
    Measurements,
    cross_corpus_ua,
    read_measurements,
)
from serctl.train.documents.result_tables import TABLES

DOCUMENTS = (Path("README.md"), Path("docs", "results.md"), Path("docs", "voices.md"))
WEIGHTS, METRICS_FILE, CARD_FILE = Path("weights"), "metrics.json", "card.md"

BEGIN, END = "<!-- table: ", "<!-- end -->"
BLOCK = re.compile(rf"{BEGIN}([\w-]+) -->\n.*?{END}", re.DOTALL)


def render_documents(checkout: Path) -> dict[Path, str]:
    """Render the documents and the cards of a checkout.

    Parameters
    ----------
    checkout : Path
        Its root.

    Returns
    -------
    dict of Path to str
        Text of each.

    Raises
    ------
    ResultsError
        If results are not JSON, or a document has a table of an unknown name, or without end.
    ModelError
        If the folder of a bundled model is not a weights folder.
    """
    measurements = read_measurements(checkout)
    texts = {
        checkout / name: _filled(checkout / name, measurements)
        for name in DOCUMENTS
        if (checkout / name).exists()
    }
    if (checkout / WEIGHTS).is_dir():
        measured = {model: _in_short(of_model) for model, of_model in measurements.items()}
        texts[checkout / WEIGHTS / MEASURED_FILE] = json.dumps(measured, indent=1) + "\n"
    for config_file in sorted((checkout / WEIGHTS).glob(f"*/{CONFIG_FILE}")):
        folder = config_file.parent
        metrics: dict[str, Any] = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
        texts[folder / CARD_FILE] = card_text(
            read_config(folder), metrics, measurements.get(folder.name)
        )
    return texts


def _in_short(measurements: dict[str, Any]) -> dict[str, float]:
    """Accuracy and cost of a model, as `serctl.models.loading` reads them."""
    found = {}
    if NEW_SPEAKERS in measurements:
        found["new_speakers_ua"] = measurements[NEW_SPEAKERS]["ua"]
    if (ua := cross_corpus_ua(measurements)) is not None:
        found["cross_corpus_ua"] = mean(ua)
    if "cpu_ms" in measurements:
        found["cpu_ms"] = measurements["cpu_ms"]
    return found


def _filled(path: Path, measurements: Measurements) -> str:
    """Text of a document with its tables rendered."""
    text = path.read_text(encoding="utf-8")
    n_blocks = len(BLOCK.findall(text))
    if not n_blocks == text.count(BEGIN) == text.count(END):
        raise ResultsError(
            f"{path}: {text.count(BEGIN)} tables begin, {text.count(END)} end, and {n_blocks} do "
            f"both. Each needs a line {BEGIN}NAME --> and a line {END}."
        )

    def block(match: re.Match[str]) -> str:
        name = match[1]
        if name not in TABLES:
            raise ResultsError(f"{path}: no table {name}; there are {', '.join(TABLES)}.")
        made = TABLES[name](measurements)
        return f"{BEGIN}{name} -->\n" + (f"\n{made}\n\n" if made else "") + END

    return BLOCK.sub(block, text)


def rewrite_documents(checkout: Path) -> list[Path]:
    """Write the documents and the cards that have changed.

    Parameters
    ----------
    checkout : Path
        Its root.

    Returns
    -------
    list of Path
        Files written.
    """
    changed = []
    for path, text in render_documents(checkout).items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


if __name__ == "__main__":
    for path in rewrite_documents(Path()):
        print(path)
