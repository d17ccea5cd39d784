"""Features of clips, kept on disk once computed.

A cached array is known by the SHA-256 of the clip's file and by the parameters of its features, so
a file that changed is read anew, wherever it lies, and a file that moved is not. Arrays are written
aside and renamed; one that cannot be read back, or is of another shape, is computed again. Where
the cache cannot be written, features are computed each time.
"""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from serctl import audio, features
from serctl.errors import AudioError
from serctl.features import MelSpec

# Raise it when the same samples or the same spec give other features.
CACHE_VERSION = 1


def cache_folder() -> Path:
    """Where features are kept: SERCTL_CACHE, or the user's cache folder."""
    return Path(os.environ.get("SERCTL_CACHE") or platformdirs.user_cache_path("serctl"))


class ClipFeatures:
    """Clip statistics of corpus clips, from the cache or computed; a call is safe in any thread.

    Parameters
    ----------
    spec : MelSpec
        Of the features.
    cache : Path
        Folder of the cache; made when first written to.
    max_duration_s : float
        Longest clip that is one clip and not a recording of many.
    """

    def __init__(self, spec: MelSpec, cache: Path, max_duration_s: float = 30.0) -> None:
        self.spec = spec
        self.max_duration_s = max_duration_s
        parameters = hashlib.sha256(f"{CACHE_VERSION} {spec}".encode()).hexdigest()
        self._folder = cache / "features" / parameters[:16]

    def __call__(self, path: str) -> NDArray[np.float32]:
        """Clip statistics of one file.

        Parameters
        ----------
        path : str
            Of a clip.

        Returns
        -------
        float32 [n_mels + n_mfcc]

        Raises
        ------
        AudioError
            If it cannot be decoded, is empty, or is longer than ``max_duration_s``.
        """
        digest = _sha256(path)
        cached = self._folder / digest[:2] / f"{digest}.npy"
        statistics = _load(cached)
        if statistics is None or statistics.shape != (self.spec.n_mels + self.spec.n_mfcc,):
            statistics = self._compute(path)
            _save(cached, statistics)
        return statistics

    def _compute(self, path: str) -> NDArray[np.float32]:
        recording, windows = audio.read_windows(path, self.spec.rate_hz, self.max_duration_s)
        clip = list(windows)
        if len(clip) != 1:
            raise AudioError(
                f"{recording.duration_s:.1f} s long; a clip of up to {self.max_duration_s:g} s, "
                "and not an empty one, is needed. Is it the original?",
                path,
            )
        return features.clip_statistics(clip[0], self.spec)


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


def _load(path: Path) -> NDArray[np.float32] | None:
    """Array of a cache file, or None if it is not there or not whole."""
    try:
        with open(path, "rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, ValueError):
        return None


def _save(path: Path, array: NDArray[np.float32]) -> None:
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
