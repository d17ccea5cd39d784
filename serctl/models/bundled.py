"""What the bundled models are, and how good: for a table of them, without loading any.

Accuracy and cost come from ``models.json`` in the folder of the weights, which
`serctl.train.documents.rewrite` writes from ``train/results``.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from serctl.models.config import read_config
from serctl.models.encoder import ENCODER_FILE, bundled_encoder
from serctl.models.loading import bundled_models

MEASURED_FILE = "models.json"
LICENSE = "research, non-commercial"  # inherited from the corpora


@dataclass(frozen=True)
class BundledModel:
    """One bundled model.

    Attributes
    ----------
    name : str
        As ``--model`` takes it.
    emotions : tuple of str
        That it chooses between.
    size_bytes : int
        Of its weights, with those of its encoder.
    new_speakers_ua, cross_corpus_ua : float or None
        UA over its emotions on speakers that it was not trained on, and over the report's five on
        corpora that it was not trained on, in [0, 1]; None where it was not measured.
    cpu_ms : float or None
        Milliseconds of processor time for a clip of 2.5 s.
    """

    name: str
    emotions: tuple[str, ...]
    size_bytes: int
    new_speakers_ua: float | None
    cross_corpus_ua: float | None
    cpu_ms: float | None


def describe_models() -> list[BundledModel]:
    """Describe the bundled models, in alphabetical order.

    Raises
    ------
    ModelError
        If a folder of theirs is damaged.
    """
    folders = bundled_models()
    measured_file = next(iter(folders.values())).parent / MEASURED_FILE
    measured = json.loads(measured_file.read_text(encoding="utf-8"))
    return [_describe(name, folder, measured.get(name, {})) for name, folder in folders.items()]


def _describe(name: str, folder: Path, measured: dict[str, float]) -> BundledModel:
    config = read_config(folder)
    files = [folder / "model.safetensors"]
    if config.encoder_sha256:
        own = folder / ENCODER_FILE
        files.append(own if own.exists() else bundled_encoder())
    return BundledModel(
        name,
        config.emotions,
        sum(file.stat().st_size for file in files),
        measured.get("new_speakers_ua"),
        measured.get("cross_corpus_ua"),
        measured.get("cpu_ms"),
    )
