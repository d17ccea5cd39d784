"""What gives the samples of one recording, whatever decodes it."""

from typing import Any, Protocol

from numpy.typing import NDArray


class Source(Protocol):
    """What gives the samples of one recording.

    Attributes
    ----------
    rate_hz, n_channels : int
        Of the recording; the channels may change while it is read.
    n_frames : int
        As its header promises; 0 if it does not say.
    n_expected : int
        As its header promises or its size suggests, to show progress; 0 if it cannot be told.
    ended : bool
        Whether all was read.
    reason : str
        What is wrong with the recording, for its row; complete when all was read.
    """

    rate_hz: int
    n_channels: int
    n_frames: int
    n_expected: int
    ended: bool
    reason: str

    def read(self, n_frames: int) -> NDArray[Any]:
        """Read about ``n_frames``: int16, float32 or float64 [n_frames, n_channels]."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...
