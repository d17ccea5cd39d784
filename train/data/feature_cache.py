"""Cache of the features of training clips on disk.

A cached array is identified by the SHA-256 of the clip's file and by the parameters of its features, so
a file that changed is read anew, wherever it lies, and a file that moved is not. Arrays are written
aside and renamed; one that cannot be read back, or is of another shape, is computed again. Where
the cache cannot be written, features are computed each time.

A copy number above 0 is an augmented copy of the clip (`serctl.train.data.augmented_copies`), drawn
from that number and the clip's SHA-256 alone; a noisy copy has talkers of the corpora in its background.
Its features are kept in float16, which rounds a spectrogram's decibels to less than 0.1.
"""

import hashlib
import os
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from serctl import caches
from serctl.audio import decoding
from serctl.audio.highpass import HIGH_PASS_HZ, HighPass
from serctl.errors import AudioError
from serctl.features.mel import MelSpec
from serctl.features.speech import speech_bounds
from serctl.models.embedding import Embedder
from serctl.models.inputs import CLIP_STATISTICS, InputKind
from serctl.models.networks.whisper_graph import LAST_BLOCKS, N_EMBEDDING
from serctl.train.data.augmented_copies import augment, draw_speed, much_noise
from serctl.train.data.talkers import Talkers

# Raise it when the same samples or the same spec give other features, be it by a bit, or when
# `serctl.train.data.augmented_copies` changes.
CACHE_VERSION = 2


def cache_folder() -> Path:
    """Where features are kept: SERCTL_CACHE, or the user's cache folder."""
    return Path(os.environ.get("SERCTL_CACHE") or caches.cache_folder())


class ClipFeatures:
    """Features of corpus clips, from the cache or computed; a call is safe in any thread.

    Parameters
    ----------
    kind : InputKind
        Which features.
    spec : MelSpec
        Their parameters.
    cache : Path
        Folder of the cache; made when first written to.
    max_duration_s : float
        Longest clip allowed.
    copy : int
        0 for the clip itself, others for its augmented copies.
    talkers : Talkers, optional
        Makes the copy a noisy one, and speaks in its background.
    encoder : Embedder, optional
        Makes embeddings of the features, and these are cached.
    encoder_sha256 : str
        Of its file.
    """

    def __init__(
        self,
        kind: InputKind,
        spec: MelSpec,
        cache: Path,
        max_duration_s: float = 30.0,
        copy: int = 0,
        talkers: Talkers | None = None,
        encoder: Embedder | None = None,
        encoder_sha256: str = "",
    ) -> None:
        self.kind, self.spec = kind, spec
        self.max_duration_s = max_duration_s
        self.copy, self._talkers = copy, talkers
        self._encoder = encoder
        self.dtype = np.float16 if copy else np.float32
        key = f"{CACHE_VERSION} {spec}"
        if kind is not CLIP_STATISTICS or copy:
            key += f" {kind.name} {copy}"
        if talkers is not None:
            key += " noisy"
        if encoder is not None:
            key += f" {encoder_sha256} {LAST_BLOCKS}"
        parameters = hashlib.sha256(key.encode()).hexdigest()
        self._folder = cache / "features" / parameters[:16]
        self._starts = cache / "features" / f"{parameters[:16]}-starts"

    def __call__(self, path: str) -> NDArray[np.floating]:
        """Features of one file.

        Parameters
        ----------
        path : str
            Of a clip.

        Returns
        -------
        float32 or, of an augmented copy, float16 [n_columns] or [n_frames, n_columns]; of an
        encoder [n_embedding]

        Raises
        ------
        AudioError
            If it cannot be decoded, is empty, or is longer than ``max_duration_s``.
        """
        digest = sha256_of_clip(path)
        cached = self._folder / digest[:2] / f"{digest}.npy"
        features = load_array(cached)
        if features is None or not self._fits(features):
            features = self._compute(path, digest)
            save_array(cached, features)
        return features

    def clip_times(self, path: str, n_frames: int) -> NDArray[np.float32]:
        """Which moment of the clip each frame shows, as far as speed and trimming have moved it.

        Parameters
        ----------
        path : str
            Of a clip whose features have frames of `serctl.features.speech.speech_of`.
        n_frames : int
            Of its features.

        Returns
        -------
        float32 [n_frames]
            In seconds from the clip's first sample.

        Raises
        ------
        AudioError
            As for a call.
        """
        digest = sha256_of_clip(path)
        cached = self._starts / digest[:2] / f"{digest}.npy"
        start = load_array(cached)
        if start is None or start.shape != ():
            samples, spec = self._samples(path, digest), self.spec
            filtered = HighPass(spec.rate_hz, HIGH_PASS_HZ)(samples)
            start = np.array(speech_bounds(filtered, spec.n_fft, spec.hop_samples)[0], float)
            save_array(cached, start)
        speed = draw_speed(np.random.default_rng(self._seed(digest))) if self.copy else 1.0
        times = (float(start) + self.spec.hop_samples * np.arange(n_frames)) / self.spec.rate_hz
        return np.asarray(times * speed, np.float32)

    def _fits(self, features: NDArray[np.floating]) -> bool:
        """Whether an array is of the shape and type that these features have."""
        shape, n_columns = features.shape, self.kind.n_columns(self.spec)
        if self._encoder is not None:
            fits = shape == (N_EMBEDDING,)
        else:
            n_dimensions = 1 if self.kind is CLIP_STATISTICS else 2
            fits = len(shape) == n_dimensions and shape[-1] == n_columns
        return fits and len(features) > 0 and features.dtype == self.dtype

    def _compute(self, path: str, digest: str) -> NDArray[np.floating]:
        features = self.kind.extract(self._samples(path, digest), self.spec)
        if self._encoder is not None:
            # An augmented copy may be longer than the clip, and than the encoder's positions.
            features = self._encoder(np.ascontiguousarray(features[: self.kind.max_frames].T))
        return features.astype(self.dtype, copy=False)

    def _samples(self, path: str, digest: str) -> NDArray[np.float32]:
        """Samples of the clip, or of its augmented copy."""
        recording, windows = decoding.read_windows(path, self.spec.rate_hz, self.max_duration_s)
        clip = list(windows)
        if len(clip) != 1:
            raise AudioError(
                f"{recording.duration_s:.1f} s long; a clip of up to {self.max_duration_s:g} s, "
                "and not an empty one, is needed. Is it the original?",
                path,
            )
        return self._augmented(clip[0], path, digest) if self.copy else clip[0]

    def _seed(self, digest: str) -> list[int]:
        return [self.copy, int(digest, 16)]

    def _augmented(
        self, samples: NDArray[np.float32], path: str, digest: str
    ) -> NDArray[np.float32]:
        seed = self._seed(digest)
        if self._talkers is None:
            return augment(samples, self.spec.rate_hz, np.random.default_rng(seed))
        noise = much_noise(partial(self._talkers.babble, path))
        random = np.random.default_rng([*seed, 1])  # draws other than the plain copy's
        return augment(samples, self.spec.rate_hz, random, noise)


def sha256_of_clip(path: str) -> str:
    """SHA-256 of a clip's file, in hexadecimal; AudioError if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise AudioError(f"{error.strerror}. Check that it can be read.", path) from error


def load_array(path: Path) -> NDArray[np.floating] | None:
    """Array of a cache file, or None if it is not there or not whole."""
    try:
        with open(path, "rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, ValueError):
        return None


def save_array(path: Path, array: NDArray[np.floating]) -> None:
    """Write a cache file, if it can be written."""
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
