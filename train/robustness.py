"""What a model still hears when recordings are worse: accuracy by condition, and the drop from clean.

    python -m serctl.train.robustness MODEL FOLDER [-o FILE.json]

MODEL is a bundled model or a weights folder, FOLDER one of corpus clips that it was not trained on,
such as those of speaker fold 0. Every clip is read at the model's rate (`serctl.audio`), degraded,
written to a file as such a recording would be, and classified as any other file. So a signal to
noise ratio is what the model hears, and a clip that goes through unchanged gets its clean answer.

Everything random comes from the clip's name and the condition's: results depend neither on the order
of the clips, nor on their folder, nor on the number of threads. What cannot be read raises.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from serctl.classifier import Classifier, Extraction
from serctl.errors import CorporaError, SerctlError
from serctl.pipeline import classify_recordings
from serctl.train.clip_names import ClipName
from serctl.train.corpora import find_clips, parse_clip_name
from serctl.train.degradations import CONDITIONS, Condition, Sound, read_clip
from serctl.train.evaluate import LabelledRecordings, recordings_by_name

SEED = 0


def generator(condition: str, name: ClipName) -> np.random.Generator:
    """Random numbers of one clip under one condition."""
    key = f"{SEED} {condition} {name.corpus} {name.clip}"
    return np.random.default_rng(int.from_bytes(hashlib.sha256(key.encode()).digest()))


class Degrader:
    """Degraded copies of the clips of a folder.

    Parameters
    ----------
    folder : str
        Of corpus clips. All of them are there for babble, whatever their emotion.
    rate_hz : int
        Of the model.
    """

    def __init__(self, folder: str, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._by_speaker: dict[str, list[str]] = {}
        # Sorted by clip, so that babble is the same in whatever folders the clips lie.
        for _, paths in sorted(find_clips(folder).copies.items()):
            name = _clip_name(paths[0])
            self._by_speaker.setdefault(name.speaker, []).append(paths[0])

    def write(self, path: str, condition: Condition, degraded_path: Path) -> None:
        """Write the degraded copy of a clip; AudioError or OSError if that cannot be done."""
        name = _clip_name(path)
        rate_hz = condition.rate_hz or self.rate_hz
        others = [self._by_speaker[one] for one in sorted(self._by_speaker) if one != name.speaker]
        rng = generator(condition.name, name)
        samples = condition.degrade(Sound(read_clip(path, rate_hz), rate_hz, rng, others))
        soundfile.write(degraded_path, samples, rate_hz, **condition.file_format)


def _clip_name(path: str) -> ClipName:
    name = parse_clip_name(Path(path).absolute())
    if name is None:
        raise CorporaError(f"{path}: not the name of a clip of the four corpora.")
    return name


def measure(
    model: str,
    folder: str,
    conditions: Sequence[Condition] = CONDITIONS,
    n_workers: int | None = None,
    told: Callable[[str], None] = lambda condition: None,
) -> dict[str, Any]:
    """Score a model on clean clips and on degraded ones.

    Parameters
    ----------
    model : str
        A bundled model or a weights folder.
    folder : str
        Of corpus clips; scored are those whose emotion the model knows.
    conditions : sequence of Condition
        In the order of the rows.
    n_workers : int, optional
        Threads; the number of cores by default.
    told : callable, optional
        Told the name of each condition before it is measured.

    Returns
    -------
    dict
        ``model``, ``sha256``, ``command``, ``seed``, ``emotions``, ``n_clips`` and ``rows``: the
        first of clean clips, then one a condition, each with ``condition``, ``ua`` and ``wa`` in
        [0, 1], ``ua_drop`` and ``wa_drop`` in points, and ``n_unanswered``.

    Raises
    ------
    SerctlError
        If the model cannot be loaded, or a clip cannot be read.
    """
    unrestricted = Classifier(model, device="cpu")
    clips = recordings_by_name([folder], unrestricted.config.emotions)
    classifier = Classifier(model, ",".join(clips.emotions), device="cpu")
    degrader = Degrader(folder, classifier.config.features.rate_hz)
    rows: list[dict[str, Any]] = []
    for condition in (None, *conditions):
        name = condition.name if condition else "clean"
        told(name)
        extract = _extractor(classifier, degrader, condition)
        with tempfile.TemporaryDirectory(prefix="serctl-robustness-") as scratch:
            jobs = _jobs(clips, Path(scratch))
            results = list(classify_recordings(jobs, classifier, n_workers, extract))
        scores = clips.score(results)
        clean = rows[0] if rows else {"ua": scores.ua, "wa": scores.wa}
        rows.append(
            {
                "condition": name,
                "ua": scores.ua,
                "wa": scores.wa,
                "ua_drop": 100 * (clean["ua"] - scores.ua),
                "wa_drop": 100 * (clean["wa"] - scores.wa),
                "n_unanswered": scores.n_unanswered,
            }
        )
    return {
        "model": classifier.config.name,
        "sha256": classifier.config.sha256,
        "command": f"python -m serctl.train.robustness {classifier.config.name} FOLD0",
        "seed": SEED,
        "emotions": list(clips.emotions),
        "n_clips": len(clips.paths),
        "rows": rows,
    }


def _jobs(clips: LabelledRecordings, scratch: Path) -> Iterator[tuple[str, Path]]:
    """Each clip, and where its degraded copy may lie meanwhile."""
    return ((path, scratch / str(i)) for i, path in enumerate(clips.paths))


def _extractor(
    classifier: Classifier, degrader: Degrader, condition: Condition | None
) -> Callable[[tuple[str, Path]], Extraction]:
    """What a thread does for one clip."""

    def extract(job: tuple[str, Path]) -> Extraction:
        path, copy = job
        if condition is None:
            return classifier.extract(path)
        degrader.write(path, condition, copy)
        try:
            return classifier.extract(str(copy))
        finally:
            copy.unlink()

    return extract


def main() -> None:
    """Run from the command line."""
    assert __doc__
    parser = argparse.ArgumentParser("python -m serctl.train.robustness", description=__doc__)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.json")
    arguments = parser.parse_args()

    def told(condition: str) -> None:
        print(condition, file=sys.stderr)

    try:
        results = measure(arguments.model, arguments.folder, told=told)
    except SerctlError as error:
        sys.exit(f"Error: {error}")
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    for row in results["rows"]:
        print(f"{row['condition']:38} UA {row['ua']:.1%}, {row['ua_drop']:+.1f} points lost")


if __name__ == "__main__":
    main()
