"""What training reads of clips: features, kept on disk once computed, labels, and listeners' votes.

A cached array is known by the SHA-256 of the clip's file and by the parameters of its features, so
a file that changed is read anew, wherever it lies, and a file that moved is not. Arrays are written
aside and renamed; one that cannot be read back, or is of another shape, is computed again. Where
the cache cannot be written, features are computed each time.

A version above 0 is a copy of the clip with a damaged sound (`serctl.train.degradation`), which is
drawn by the number and the clip's SHA-256 alone. Its features are kept in float16, which rounds a
spectrogram's decibels to less than 0.1.
"""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from serctl import audio, caches
from serctl.errors import AudioError
from serctl.features import MelSpec
from serctl.inputs import CLIP_STATISTICS, InputKind
from serctl.train.clip_names import sentence_of
from serctl.train.degradation import degraded

VOTES = Path(__file__).with_name("crema-d-votes.csv")

# Raise it when the same samples or the same spec give other features, be it by a bit, or when
# `serctl.train.degradation` damages them otherwise.
CACHE_VERSION = 2


def cache_folder() -> Path:
    """Where features are kept: SERCTL_CACHE, or the user's cache folder."""
    return Path(os.environ.get("SERCTL_CACHE") or caches.cache_folder())


class ClipFeatures:
    """Raw features of corpus clips, from the cache or computed; a call is safe in any thread.

    Parameters
    ----------
    kind : InputKind
        Which features.
    spec : MelSpec
        Their parameters.
    cache : Path
        Folder of the cache; made when first written to.
    max_duration_s : float
        Longest clip that is one clip and not a recording of many.
    version : int
        Of the sound: 0 for the clip's own, others for damaged copies.
    """

    def __init__(
        self,
        kind: InputKind,
        spec: MelSpec,
        cache: Path,
        max_duration_s: float = 30.0,
        version: int = 0,
    ) -> None:
        self.kind, self.spec = kind, spec
        self.max_duration_s = max_duration_s
        self.version = version
        self.dtype = np.float16 if version else np.float32
        known_by = f"{CACHE_VERSION} {spec}"
        if kind is not CLIP_STATISTICS or version:
            known_by += f" {kind.name} {version}"
        parameters = hashlib.sha256(known_by.encode()).hexdigest()
        self._folder = cache / "features" / parameters[:16]

    def __call__(self, path: str) -> NDArray[np.floating]:
        """Raw features of one file.

        Parameters
        ----------
        path : str
            Of a clip.

        Returns
        -------
        float32 or, of a damaged copy, float16 [n_columns] or [n_frames, n_columns]

        Raises
        ------
        AudioError
            If it cannot be decoded, is empty, or is longer than ``max_duration_s``.
        """
        digest = _sha256(path)
        cached = self._folder / digest[:2] / f"{digest}.npy"
        features = _load(cached)
        if features is None or not self._fits(features):
            features = self._compute(path, digest)
            _save(cached, features)
        return features

    def _fits(self, features: NDArray[np.floating]) -> bool:
        """Whether an array is of the shape and type that these features have."""
        n_dimensions = 1 if self.kind is CLIP_STATISTICS else 2
        shape = features.shape
        fits = len(shape) == n_dimensions and shape[-1] == self.kind.n_columns(self.spec)
        return fits and len(features) > 0 and features.dtype == self.dtype

    def _compute(self, path: str, digest: str) -> NDArray[np.floating]:
        recording, windows = audio.read_windows(path, self.spec.rate_hz, self.max_duration_s)
        clip = list(windows)
        if len(clip) != 1:
            raise AudioError(
                f"{recording.duration_s:.1f} s long; a clip of up to {self.max_duration_s:g} s, "
                "and not an empty one, is needed. Is it the original?",
                path,
            )
        samples = clip[0]
        if self.version:
            random = np.random.default_rng([self.version, int(digest, 16)])
            samples = degraded(samples, self.spec.rate_hz, random)
        return self.kind.raw(samples, self.spec).astype(self.dtype, copy=False)


def votes_of(
    clips: pd.DataFrame, emotions: Sequence[str], for_neutral: bool = False
) -> NDArray[np.float64]:
    """Votes of listeners who heard the voice alone, for each emotion; CREMA-D alone has them.

    Parameters
    ----------
    clips : DataFrame
        With the columns corpus, clip and emotion.
    emotions : sequence of str
        In the order of the columns; votes for others are dropped.
    for_neutral : bool, optional
        Whether votes for neutral count for clips that are acted otherwise. They are 38% of the
        votes, and a network that learns from them hears neutral too often.

    Returns
    -------
    float64 [n_clips, n_emotions]
        How many; all 0 where nobody was asked.
    """
    table = pd.read_csv(VOTES).set_index("clip").reindex(columns=list(emotions), fill_value=0)
    votes = table.reindex(clips["clip"]).fillna(0).to_numpy(np.float64)
    votes[(clips["corpus"] != "crema-d").to_numpy()] = 0
    if "neutral" in emotions and not for_neutral:
        acted = (clips["emotion"] != "neutral").to_numpy()
        votes[acted, list(emotions).index("neutral")] = 0
    return votes


def sentences_of(clips: pd.DataFrame) -> "pd.Series[str]":
    """What is said in each clip, as its name says; missing where it does not.

    Parameters
    ----------
    clips : DataFrame
        With the columns corpus and clip.
    """
    names = zip(clips["corpus"], clips["clip"], strict=True)
    return pd.Series([sentence_of(*name) for name in names], index=clips.index, dtype=object)


def label_indices(labels: Sequence[str], emotions: Sequence[str]) -> NDArray[np.int64]:
    """Index in ``emotions`` of each of ``labels``, int64 [n]."""
    index = {emotion: i for i, emotion in enumerate(emotions)}
    return np.array([index[label] for label in labels], np.int64)


def _sha256(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise AudioError(f"{error.strerror}. Check that it can be read.", path) from error


def _load(path: Path) -> NDArray[np.floating] | None:
    """Array of a cache file, or None if it is not there or not whole."""
    try:
        with open(path, "rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, ValueError):
        return None


def _save(path: Path, array: NDArray[np.floating]) -> None:
    # A cache that cannot be written costs time, and nothing else.
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False)
        try:
            with file:
                np.save(file, array)
            os.replace(file.name, path)
        finally:
            with suppress(FileNotFoundError):  # once renamed, it is not there
                os.unlink(file.name)
