"""From a file to mono samples at a model's rate, in blocks and windows.

`read_windows` decodes a recording block by block, mixes its channels to one (their mean), resamples
it (soxr, quality HQ, as librosa does), and hands it over in windows of fixed length, so that a
recording of any length passes through in the memory of one window. What cannot be decoded raises
AudioError with the path and what to do; nothing else stands in for it.
"""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from serctl.errors import AudioError
from serctl.scan import UNDECODABLE_EXTENSIONS

BLOCK_FRAMES = 1 << 20  # read at a time, of all channels: 22 s at 48 kHz in mono
BLOCK_S = 120  # and no more, since a low rate makes many samples of few
LOUDEST_PEAK = 2.0**31  # 32-bit integers taken for full scale; powers of what is louder overflow
SILENT_PEAK = 1 / 32768  # one step of a 16-bit recording; what never reaches it is silence


@dataclass
class Recording:
    """What is known of one recording; the counts grow while its windows are read.

    Attributes
    ----------
    path : str
        As it is shown to the user.
    rate_hz, n_channels : int
        Of the file.
    n_frames : int
        Decoded so far, at ``rate_hz``.
    peak : float
        Largest absolute sample of the mix so far, 1.0 being full scale.
    """

    path: str
    rate_hz: int
    n_channels: int
    n_frames: int = 0
    peak: float = 0.0

    @property
    def duration_s(self) -> float:
        """Seconds decoded so far."""
        return self.n_frames / self.rate_hz


class _ForwardFile(soundfile.SoundFile):
    """A file that is read from front to back.

    soundfile seeks after every read where it can, which fails in a FLAC file that does not say its
    length, as streams are saved.
    """

    def seekable(self) -> bool:
        return False


def open_recording(path: str) -> soundfile.SoundFile:
    """Open a recording for reading.

    Parameters
    ----------
    path : str
        Of an audio file in any format that libsndfile decodes, under whatever extension.

    Returns
    -------
    soundfile.SoundFile
        To be closed by the caller.

    Raises
    ------
    AudioError
        If the file cannot be opened, is empty, or is in no such format.
    """
    try:
        if os.stat(path).st_size == 0:
            raise AudioError("0 bytes. The file is empty; copy or export it again.", path)
        return _ForwardFile(os.fsencode(path))
    except OSError as error:
        raise AudioError(f"{error.strerror or error}. Check that it can be read.", path) from error
    except soundfile.LibsndfileError as error:
        extension = os.path.splitext(path)[1].lower()
        if extension in UNDECODABLE_EXTENSIONS:
            advice = f"Convert it first, for example: ffmpeg -i NAME{extension} NAME.wav"
        else:
            advice = "Not audio, or damaged: try to play it, or export it again as wav or flac."
        raise AudioError(f"{error.error_string.rstrip('.')}. {advice}", path) from error


def read_windows(
    path: str, rate_hz: int, window_s: float
) -> tuple[Recording, Iterator[NDArray[np.float32]]]:
    """Open a recording and iterate over its windows.

    Parameters
    ----------
    path : str
        Of the recording.
    rate_hz : int
        To resample to.
    window_s : float
        Length of a window; the last one is shorter.

    Returns
    -------
    recording : Recording
        Its counts are complete when the windows are.
    windows : iterator of float32 [n_samples]
        Mono, full scale at 1.0, at ``rate_hz``; ceil(n_frames * rate_hz / the file's rate) samples
        in all. None for a file without frames.

    Raises
    ------
    AudioError
        Here or while iterating: if the file cannot be decoded, or holds samples that are no sound.
    """
    file = open_recording(path)
    recording = Recording(path, file.samplerate, file.channels)
    return recording, _windows(file, recording, rate_hz, round(window_s * rate_hz))


def _windows(
    file: soundfile.SoundFile, recording: Recording, rate_hz: int, window_samples: int
) -> Iterator[NDArray[np.float32]]:
    held: list[NDArray[np.float32]] = []
    n_held = n_total = 0
    with file:
        for samples in _resampled(file, recording, rate_hz):
            held.append(samples)
            n_held += len(samples)
            n_total += len(samples)
            while n_held >= window_samples:
                joined = np.concatenate(held) if len(held) > 1 else held[0]
                yield joined[:window_samples]
                held, n_held = [joined[window_samples:]], n_held - window_samples
    # The resampler may round the last sample off; librosa and we round the count up, with a zero.
    n_missing = math.ceil(recording.n_frames * rate_hz / recording.rate_hz) - n_total
    joined = np.concatenate([*held, np.zeros(max(n_missing, 0), np.float32)])
    joined = joined[: len(joined) + min(n_missing, 0)]
    if len(joined):
        yield joined


def _resampled(
    file: soundfile.SoundFile, recording: Recording, rate_hz: int
) -> Iterator[NDArray[np.float32]]:
    stream = None
    if recording.rate_hz != rate_hz:
        stream = soxr.ResampleStream(recording.rate_hz, rate_hz, 1, dtype="float32", quality="HQ")
    n_frames = max(1, min(BLOCK_FRAMES // recording.n_channels, BLOCK_S * recording.rate_hz))
    while True:
        mono = _read_mono(file, recording, n_frames)
        last = len(mono) < n_frames
        if stream is not None and recording.n_frames:
            yield stream.resample_chunk(mono, last=last)
        else:
            yield mono
        if last:
            return


def _read_mono(
    file: soundfile.SoundFile, recording: Recording, n_frames: int
) -> NDArray[np.float32]:
    """Read the next block, as the mean of its channels, and count it."""
    # One channel is not rounded again; the mean of several is taken in float64 and rounded once.
    dtype = "float32" if recording.n_channels == 1 else "float64"
    try:
        frames = file.read(n_frames, dtype=dtype, always_2d=True)
    except soundfile.LibsndfileError as error:
        raise AudioError(
            f"Decoding broke off after {recording.duration_s:.1f} s "
            f"({error.error_string.rstrip('.')}). The file is damaged; copy or export it again.",
            recording.path,
        ) from error
    mono = frames[:, 0] if recording.n_channels == 1 else frames.mean(axis=1)
    if len(mono):
        peak = float(np.abs(mono).max())
        if not peak <= LOUDEST_PEAK:  # or not a number
            raise AudioError(
                f"Holds samples that are no sound: {peak:g}, where full scale is 1. Export it "
                "again as 16-bit wav or flac.",
                recording.path,
            )
        recording.peak = max(recording.peak, peak)
    recording.n_frames += len(mono)
    return mono.astype(np.float32, copy=False)
