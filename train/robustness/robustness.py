"""Robustness of a model: accuracy by corruption, and the drop from clean recordings.

    python -m serctl.train.robustness.robustness MODEL FOLDER [-o FILE.json]

MODEL is a bundled model or a weights folder, FOLDER one of corpus clips that it was not trained on,
such as those of speaker fold 0. Every clip is read at the model's rate (`serctl.audio.decoding`),
corrupted, written to a file and classified as any other file. So signal-to-noise ratios hold for the
input of the model, and a clip that stays unchanged gets its clean prediction.

All randomness is seeded by the names of clip and corruption: results depend neither on the order of the
clips, nor on their folder, nor on the number of threads. What cannot be read raises.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from serctl.audio.windows import Windowing
from serctl.emotions import map_to_known
from serctl.engine.pipeline import classify_recordings
from serctl.errors import SerctlError
from serctl.models.classifier import Classifier
from serctl.models.extraction import Extraction
from serctl.models.loading import load_model
from serctl.train.corpora.clip_names import ClipName
from serctl.train.corpora.manifest import absent_error, find_clips, parse_clip_name
from serctl.train.evaluation.scores import score
from serctl.train.robustness.corruptions import CORRUPTIONS, Corruption, Sound, read_clip

SEED = 0


def generator(corruption: str, name: ClipName) -> np.random.Generator:
    """Random numbers of one clip under one corruption."""
    key = f"{SEED} {corruption} {name.corpus} {name.clip}"
    return np.random.default_rng(int.from_bytes(hashlib.sha256(key.encode()).digest()))


class ClipFolder:
    """The clips of a folder, and corrupted copies of them.

    Parameters
    ----------
    folder : str
        Of corpus clips.

    Attributes
    ----------
    clips : dict of str to ClipName
        Path and name of every clip, sorted by name, so that babble is the same wherever they lie.

    Raises
    ------
    CorporaError
        If there is none.
    """

    def __init__(self, folder: str) -> None:
        found = find_clips(folder)
        if not found.copies:
            raise absent_error(folder, found)
        paths = [paths[0] for _, paths in sorted(found.copies.items())]
        names = [parse_clip_name(Path(path).absolute()) for path in paths]
        self.clips = {path: name for path, name in zip(paths, names, strict=True) if name}
        self._by_speaker: dict[str, list[str]] = {}
        for path, name in self.clips.items():
            self._by_speaker.setdefault(name.speaker, []).append(path)

    def known_clips(self, known: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Paths of the clips whose emotion a model knows, each with its emotion and corpus."""
        clips = {
            path: (map_to_known(name.emotion, known), name.corpus)
            for path, name in self.clips.items()
        }
        return {path: clip for path, clip in clips.items() if clip[0] in known}

    def write_corrupted(self, path: str, corruption: Corruption, rate_hz: int, copy: Path) -> None:
        """Write the corrupted copy of a clip for a model's rate; AudioError if it is unreadable.

        Babble takes other clips of the folder, whatever their emotion.
        """
        name, rate_hz = self.clips[path], corruption.rate_hz or rate_hz
        others = [paths for speaker, paths in self._by_speaker.items() if speaker != name.speaker]
        rng = generator(corruption.name, name)
        samples = corruption.apply(Sound(read_clip(path, rate_hz), rate_hz, rng, others))
        soundfile.write(copy, samples, rate_hz, **corruption.file_format)


def measure(
    model: str,
    folder: str,
    corruptions: Sequence[Corruption] = CORRUPTIONS,
    n_workers: int | None = None,
    on_corruption: Callable[[str], None] = lambda name: None,
) -> dict[str, Any]:
    """Score a model on clean clips and on corrupted ones.

    Parameters
    ----------
    model : str
        A bundled model or a weights folder.
    folder : str
        Of corpus clips; scored are those whose emotion the model knows.
    corruptions : sequence of Corruption
        In the order of the rows.
    n_workers : int, optional
        Threads; the number of cores by default.
    on_corruption : callable, optional
        Called with the name of each corruption before it is measured.

    Returns
    -------
    dict
        ``model``, ``sha256``, ``command``, ``seed``, ``emotions``, ``n_clips`` and ``rows``: the
        first of clean clips, then one a corruption, each with ``corruption``, ``ua`` and ``wa`` in
        [0, 1], ``ua_drop`` and ``wa_drop`` in points, and ``n_without_prediction``.

    Raises
    ------
    SerctlError
        If the model cannot be loaded, or a clip cannot be read.
    """
    loaded = load_model(model)
    known = loaded.config.emotions
    clip_folder = ClipFolder(folder)
    clips = clip_folder.known_clips(known)
    references, corpora = ([clip[i] for clip in clips.values()] for i in (0, 1))
    emotions = [emotion for emotion in known if emotion in references]
    classifier = Classifier(
        loaded, ",".join(emotions), device="cpu", windowing=Windowing(speech="off")
    )
    rows: list[dict[str, Any]] = []
    for corruption in (None, *corruptions):
        name = corruption.name if corruption else "clean"
        on_corruption(name)
        with tempfile.TemporaryDirectory(prefix="serctl-robustness-") as scratch:
            jobs = ((path, Path(scratch, str(i))) for i, path in enumerate(clips))
            extract = _extractor(classifier, clip_folder, corruption)
            results = classify_recordings(jobs, classifier, n_workers, extract)
            predictions = [result.emotion for result in results]
        scores = score(references, predictions, corpora, emotions)
        clean = rows[0] if rows else {"ua": scores.ua, "wa": scores.wa}
        rows.append(
            {
                "corruption": name,
                "ua": scores.ua,
                "wa": scores.wa,
                "ua_drop": 100 * (clean["ua"] - scores.ua),
                "wa_drop": 100 * (clean["wa"] - scores.wa),
                "n_without_prediction": scores.n_without_prediction,
            }
        )
    return {
        "model": loaded.config.name,
        "sha256": loaded.config.sha256,
        "command": f"python -m serctl.train.robustness.robustness {loaded.config.name} FOLD0",
        "seed": SEED,
        "emotions": emotions,
        "n_clips": len(clips),
        "rows": rows,
    }


def _extractor(
    classifier: Classifier, clips: ClipFolder, corruption: Corruption | None
) -> Callable[[tuple[str, Path]], Extraction]:
    """What a thread does for a clip and the path at which its corrupted copy lies meanwhile."""

    def extract(job: tuple[str, Path]) -> Extraction:
        path, copy = job
        if corruption is None:
            return classifier.extract(path)
        clips.write_corrupted(path, corruption, classifier.config.features.rate_hz, copy)
        try:
            return classifier.extract(str(copy))
        finally:
            copy.unlink()

    return extract


def main() -> None:
    """Run from the command line."""
    assert __doc__
    parser = argparse.ArgumentParser(
        "python -m serctl.train.robustness.robustness", description=__doc__
    )
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.json")
    arguments = parser.parse_args()

    def show(corruption: str) -> None:
        print(corruption, file=sys.stderr)

    try:
        results = measure(arguments.model, arguments.folder, on_corruption=show)
    except SerctlError as error:
        sys.exit(f"Error: {error}")
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    for row in results["rows"]:
        print(f"{row['corruption']:38} UA {row['ua']:.1%}, {row['ua_drop']:+.1f} points lost")


if __name__ == "__main__":
    main()
