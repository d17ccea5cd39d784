"""What is known of one recording before all of its windows are classified."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from serctl.audio import decoding
from serctl.audio.speech import FRAME_S
from serctl.errors import AudioError
from serctl.models.embedding import EmbeddingFile

if TYPE_CHECKING:
    from serctl.models.inference import WindowInput


@dataclass
class Extraction:
    """One recording, before all of its windows are classified.

    Attributes
    ----------
    path : str
        Path of the recording.
    status, reason : str
        As in a result; ``ok`` if there are windows to classify.
    recording : Recording or None
        Its duration, sample rate and channels, if it could be opened.
    starts, lengths : list of int
        First sample and number of samples of each window that counts, at the model's rate. The
        length is the weight in the mean.
    probabilities : list of float64 [n_emotions]
        Of the first windows, which are already classified.
    windows : list of WindowInput
        Input of the network for each of the other windows.
    is_long : bool
        Whether the recording is longer than the model's window, so that it has a timeline.
    is_lone : bool
        Whether all speech of a long recording is one short stretch; known with the first window.
    speech : bool [n_frames] or None
        Whether somebody speaks, every `serctl.audio.speech.FRAME_S`; None without speech detection.
    channel : int or None
        Channel that was read, counted from 1; None for the mean of all.
    is_last : bool
        Whether it is the last of its recording's channels.
    given : list of tuple of float
        Seconds at which each given stretch begins and ends, if stretches were given.
    given_speakers : list of str
        Who speaks in each of these, as far as it is known, else empty.
    given_places : list of int
        Which of these each window is in.
    embedding_sum : float64 [n_embedding] or None
        Sum of the windows' embeddings, each times its length, of a model that has them.
    embeddings : EmbeddingFile or None
        Those of all windows, if a speaker's are compared.
    """

    path: str
    status: str = "ok"
    reason: str = ""
    recording: decoding.Recording | None = None
    starts: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    probabilities: list[NDArray[np.float64]] = field(default_factory=list)
    windows: list["WindowInput"] = field(default_factory=list)
    is_long: bool = False
    is_lone: bool = False
    speech: NDArray[np.bool_] | None = None
    channel: int | None = None
    is_last: bool = True
    given: list[tuple[float, float]] | None = None
    given_speakers: list[str] = field(default_factory=list)
    given_places: list[int] = field(default_factory=list)
    embedding_sum: NDArray[np.float64] | None = None
    embeddings: EmbeddingFile | None = None

    def add(
        self, probabilities: NDArray[np.float64], embedding: NDArray[np.float32] | None
    ) -> None:
        """Add what is known of the next window: probabilities and, of some models, an embedding."""
        length = self.lengths[len(self.probabilities)]
        self.probabilities.append(probabilities)
        if embedding is not None:
            total = 0.0 if self.embedding_sum is None else self.embedding_sum
            self.embedding_sum = total + embedding.astype(np.float64) * length
            if self.embeddings is not None:
                self.embeddings.add(embedding)

    @property
    def is_evenly_cut(self) -> bool:
        """Whether it is cut into windows of one length, in the order of time."""
        return self.is_long and self.given is None and not self.is_lone

    def fail(self, error: Exception) -> None:
        """Give the recording up, with what was raised as the reason."""
        self.status = "failed"
        if isinstance(error, AudioError):
            self.status, self.reason = "unreadable", error.reason
        elif isinstance(error, OSError):
            self.reason = (
                f"{error.strerror or error} while it was read. Is the disk or the network share "
                "still there? --retry-failed tries it again."
            )
        else:
            self.reason = f"{type(error).__name__}: {error}"

    def clear(self) -> None:
        """Drop the windows of a recording that is not ``ok``."""
        self.starts, self.lengths, self.given_places = [], [], []
        self.probabilities, self.windows = [], []
        self.embedding_sum = self.embeddings = None

    @property
    def embedding(self) -> NDArray[np.float32] | None:
        """Mean of the windows' embeddings, float32 [n_embedding], of an ``ok`` recording."""
        if self.embedding_sum is None:
            return None
        return (self.embedding_sum / sum(self.lengths)).astype(np.float32)

    def described(self) -> dict[str, Any]:
        """What a result says of the recording itself, by attribute of the result."""
        described: dict[str, Any] = {"channel": self.channel}
        if self.recording is not None:
            described |= {
                "duration_s": self.recording.duration_s,
                "sample_rate_hz": self.recording.rate_hz,
                "channels": self.recording.n_channels,
                "speech_s": self.speech_s,
            }
        if self.status == "unreadable":  # only a part was decoded
            described |= {"duration_s": None, "speech_s": None}
        return described

    @property
    def speech_s(self) -> float | None:
        """Seconds of speech; None without speech detection."""
        if self.speech is None or self.recording is None:
            return None
        return min(float(np.count_nonzero(self.speech) * FRAME_S), self.recording.duration_s)
