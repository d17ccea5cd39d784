"""Packets and decoded frames of FFmpeg (PyAV): their samples, and what is cut from them."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import av

# Of FFmpeg's sample formats, whose planar ones have a p behind.
DTYPES: dict[str, type[np.generic]] = {
    "u8": np.uint8,
    "s16": np.int16,
    "s32": np.int32,
    "s64": np.int64,
    "flt": np.float32,
    "dbl": np.float64,
}


def samples_of(frame: Any) -> NDArray[np.float32]:
    """Samples of a frame.

    Parameters
    ----------
    frame : av.AudioFrame or array
        Of any sample format, planar or interleaved; an array is returned as it is.

    Returns
    -------
    float32 [n_frames, n_channels]
        Full scale at 1.0.
    """
    if isinstance(frame, np.ndarray):
        return frame
    # Not frame.to_ndarray(): of more than 8 channels, PyAV takes what lies behind them for channels.
    n_channels, dtype = frame.layout.nb_channels, DTYPES[frame.format.name.removesuffix("p")]
    if frame.format.is_planar:
        planes = frame.planes[:n_channels]
        samples: NDArray[Any] = np.stack(
            [np.frombuffer(plane, dtype, frame.samples) for plane in planes]
        ).T
    else:
        interleaved = np.frombuffer(frame.planes[0], dtype, frame.samples * n_channels)
        samples = interleaved.reshape(-1, n_channels)
    if samples.dtype == np.uint8:
        full_scale: NDArray[Any] = (samples.astype(np.float32) - 128) / 128
    elif samples.dtype.kind == "i":
        scale = 2.0 ** (1 - 8 * samples.dtype.itemsize)
        full_scale = (samples * scale).astype(np.float32)
    else:
        with np.errstate(
            over="ignore"
        ):  # a double beyond float32 is no sound, and is refused later
            full_scale = samples.astype(np.float32)
    return full_scale


def keep_end(packet: "av.Packet[Any]") -> None:
    """Clear the number of samples to cut from the end of a packet, in place.

    The number to cut from its beginning (the encoder's delay) stays.

    Parameters
    ----------
    packet : av.Packet
        Encoded; unchanged if it has no such numbers.
    """
    if packet.has_sidedata("skip_samples"):
        skip = packet.get_sidedata("skip_samples")
        content = bytearray(bytes(skip))
        content[4:8] = bytes(4)
        skip.update(bytes(content))
        packet.set_sidedata(skip)
