"""Speech detection: where in a recording somebody speaks.

Silero VAD (``weights/silero``, MIT licence) gives a probability of speech for every frame of 32 ms
at 16 kHz. It runs by ONNX Runtime alone, in float32 on the thread that calls it, block by block
with its recurrent state, so that a recording of any length passes in bounded memory. The
probabilities are the same bits however the samples are cut into blocks.

The detector only says which windows hold speech and where segments begin and end. It never cuts the
audio: windows with the pauses cut out are recognized worse by 10 points. It finds angry speech more
easily than sad speech, and therefore the threshold is low.
"""

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import soxr
from numpy.typing import NDArray

import serctl.weights
from serctl.errors import ModelError

RATE_HZ = 16000
FRAME_SAMPLES = 512
FRAME_S = FRAME_SAMPLES / RATE_HZ  # 32 ms
CONTEXT_SAMPLES = 64  # of the frame before, which the graph takes with each frame
STATE_SHAPE = (1, 1, 128)

GRAPH_FILE = "silero_vad_16k_sequence.onnx"
GRAPH_SHA256 = "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85"
ONLY_ERRORS = 3  # of ONNX Runtime's log levels


@dataclass(frozen=True)
class SpeechRule:
    """How probabilities of speech become speech and pauses.

    The defaults were chosen on validation clips (fold 1), docs/long-recordings.md.

    Attributes
    ----------
    threshold : float
        A frame with at least this probability is speech.
    peak : float
        A stretch in which no frame has at least this probability is no speech.
    max_gap_s : float
        A gap between speech that is shorter is speech too.
    min_speech_s : float
        A stretch with fewer seconds of frames above the threshold is no speech.
    pad_s : float
        So much before and after every stretch of speech is speech too.
    min_window_s : float
        A window with fewer seconds of frames above the threshold does not vote, unless half of it
        is above: the shortest recordings are shorter.
    """

    threshold: float = 0.1
    peak: float = 0.2
    max_gap_s: float = 0.5
    min_speech_s: float = 0.2
    pad_s: float = 0.15
    min_window_s: float = 1 / 3

    def holds_speech(self, probabilities: NDArray[np.float32]) -> bool:
        """Whether a window holds enough speech to vote.

        Parameters
        ----------
        probabilities : float32 [n_frames]
            Of the window's frames, in [0, 1].
        """
        n_speech = np.count_nonzero(probabilities >= self.threshold)
        needed_s = min(self.min_window_s, len(probabilities) * FRAME_S / 2)
        return bool(n_speech and n_speech * FRAME_S >= needed_s)

    def speech_frames(self, probabilities: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which frames are speech, with short gaps closed and the padding around.

        Parameters
        ----------
        probabilities : float32 [n_frames]
            Of a whole recording, in [0, 1].

        Returns
        -------
        bool [n_frames]
        """
        speech = probabilities >= self.threshold
        starts, ends = stretches(speech)
        closed = np.flatnonzero((starts[1:] - ends[:-1]) * FRAME_S < self.max_gap_s)
        starts, ends = np.delete(starts, closed + 1), np.delete(ends, closed)
        n_above = np.concatenate([[0], np.cumsum(speech)])
        long = (n_above[ends] - n_above[starts]) * FRAME_S >= self.min_speech_s
        long &= np.maximum.reduceat(np.append(probabilities, 0), starts) >= self.peak
        starts, ends = starts[long], ends[long]
        n_pad = round(self.pad_s / FRAME_S)
        filled = np.zeros(len(speech) + 1, np.int64)
        np.add.at(filled, np.maximum(starts - n_pad, 0), 1)
        np.add.at(filled, np.minimum(ends + n_pad, len(speech)), -1)
        return filled.cumsum()[:-1] > 0


def stretches(flags: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Stretches of true flags: int64 [n] of their first frames, and of those after their last."""
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    return edges[::2], edges[1::2]


class SpeechStream:
    """Probabilities of speech of one recording, whose samples come block by block.

    Parameters
    ----------
    rate_hz : int
        Of the samples; another rate than `RATE_HZ` is resampled.

    Raises
    ------
    ModelError
        If the bundled graph is not there or was changed.
    """

    def __init__(self, rate_hz: int) -> None:
        self._session = _session()
        self._resampler = (
            None
            if rate_hz == RATE_HZ
            else soxr.ResampleStream(rate_hz, RATE_HZ, 1, dtype="float32", quality="HQ")
        )
        self._hidden = np.zeros(STATE_SHAPE, np.float32)
        self._cell = np.zeros(STATE_SHAPE, np.float32)
        # What the next frame needs: the context before it, and samples that do not fill a frame.
        self._left = np.zeros(CONTEXT_SAMPLES, np.float32)

    def feed(self, samples: NDArray[np.float32], last: bool = False) -> NDArray[np.float32]:
        """Take the next samples, and give the probabilities of the frames that they complete.

        Parameters
        ----------
        samples : float32 [n_samples]
            Mono, full scale at 1.0.
        last : bool
            Whether the recording ends here; its last frame is then filled up with zeros.

        Returns
        -------
        float32 [n_frames]
            In [0, 1]; in all, ceil(samples at 16 kHz / `FRAME_SAMPLES`).
        """
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples, last=last)
        samples = np.concatenate([self._left, samples])
        n_new = len(samples) - CONTEXT_SAMPLES
        if last and n_new % FRAME_SAMPLES:
            samples = np.pad(samples, (0, -n_new % FRAME_SAMPLES))
            n_new = len(samples) - CONTEXT_SAMPLES
        n_frames = n_new // FRAME_SAMPLES
        self._left = samples[n_frames * FRAME_SAMPLES :]
        if not n_frames:
            return np.zeros(0, np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(samples, CONTEXT_SAMPLES + FRAME_SAMPLES)[
            ::FRAME_SAMPLES
        ][:n_frames]
        probabilities: NDArray[np.float32]
        probabilities, self._hidden, self._cell = self._session.run(
            ("speech_probs", "hn", "cn"),
            {"input": np.ascontiguousarray(frames), "h": self._hidden, "c": self._cell},
        )
        return probabilities


def speech_probabilities(samples: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """Probabilities of speech of a whole recording; `SpeechStream` takes it in blocks.

    Returns
    -------
    float32 [n_frames]
        In [0, 1], one for every 32 ms.
    """
    return SpeechStream(rate_hz).feed(samples, last=True)


@functools.cache
def _session() -> onnxruntime.InferenceSession:
    """Session of the bundled graph; any number of threads may use it at the same time."""
    path = Path(serctl.weights.__file__).parent / "silero" / GRAPH_FILE
    try:
        graph = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}. Install serctl again.") from error
    if hashlib.sha256(graph).hexdigest() != GRAPH_SHA256:
        raise ModelError(f"{path}: its SHA-256 is not {GRAPH_SHA256}. Install serctl again.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = ONLY_ERRORS
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
