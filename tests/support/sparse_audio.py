"""Long recordings that take no space on the disk: all but their header is a hole of zeros."""

import struct

import numpy as np

RATE_HZ = 8000
BYTES_PER_FRAME = 2
LARGEST_SIZE = 0xFFFFFFFF  # that a WAV can state


def write_sparse_wav(path, duration_s, wrapped=False, noise=()):
    """Write a WAV of silence, 16 bits, mono; its path.

    Parameters
    ----------
    path : str or Path
        Of the file.
    duration_s : float
        Above 74 hours, a WAV cannot state its size.
    wrapped : bool
        Whether it then states the remainder of a division by 2^32, and not the largest size.
    noise : sequence of int
        Seconds that hold noise.
    """
    n_bytes = round(duration_s * RATE_HZ) * BYTES_PER_FRAME
    sizes = (36 + n_bytes, n_bytes)
    sizes = [n % 2**32 if wrapped else min(n, LARGEST_SIZE) for n in sizes]
    rng = np.random.default_rng(0)
    with open(path, "wb") as file:
        file.write(struct.pack("<4sI4s", b"RIFF", sizes[0], b"WAVE"))
        form = (1, 1, RATE_HZ, RATE_HZ * BYTES_PER_FRAME, BYTES_PER_FRAME, 8 * BYTES_PER_FRAME)
        file.write(struct.pack("<4sIHHIIHH", b"fmt ", 16, *form))
        file.write(struct.pack("<4sI", b"data", sizes[1]))
        for second in noise:
            file.seek(44 + second * RATE_HZ * BYTES_PER_FRAME)
            file.write(rng.integers(-9000, 9000, RATE_HZ, np.int16).tobytes())
        file.truncate(44 + n_bytes)
    return str(path)
