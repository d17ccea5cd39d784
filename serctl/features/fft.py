"""Mel spectrograms by a Fourier transform of our own: the frames of a block side by side.

Sample j of `LANES` frames stands in one row, so that every step of the transform is one vector
instruction for many frames; a library that transforms frame by frame cannot do that, and takes half
as long again. The transform is for frames of a power of two (at least 8); `serctl.features.mel` has
NumPy's for others.

A real frame of 2n samples is n complex numbers, even samples and odd ones (Sorensen et al., 1987).
They are transformed in place by radix 4, which leaves them in another order; where each is, is in
a table. Nothing is fused or reordered by the compiler, so that every processor computes the same.
"""

import functools

import numpy as np
from numpy.typing import NDArray

from serctl.features.kernels import LANES, numba, weighted_sums

LINE_BYTES = 64


@functools.cache
def tables(n_fft: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Tables of the transform of frames of a length.

    Parameters
    ----------
    n_fft : int
        A power of two, at least 8.

    Returns
    -------
    roots : float32 [n_fft, 2]
        Real and imaginary part of exp(-2 pi i k / n_fft).
    places : int64 [n_fft // 2]
        Where the transform in place leaves each bin.
    """
    roots = np.exp(-2j * np.pi * np.arange(n_fft) / n_fft)
    places = np.argsort(_bins_in_place(n_fft // 2))
    return np.stack([roots.real, roots.imag], axis=1).astype(np.float32), places


def _bins_in_place(n: int) -> NDArray[np.int64]:
    """Which bin lies where, [n]: a step of radix 4 sorts them by their remainders."""
    if n < 4:
        return np.arange(n)
    quarter = 4 * _bins_in_place(n // 4)
    return np.concatenate([quarter, quarter + 1, quarter + 2, quarter + 3])


@numba.njit(nogil=True, cache=True)
def mel_of_frames(
    samples: NDArray[np.float32],
    window: NDArray[np.float32],
    hop_samples: int,
    roots: NDArray[np.float32],
    places: NDArray[np.int64],
    first_bins: NDArray[np.int64],
    last_bins: NDArray[np.int64],
    weights: NDArray[np.float32],
    mel: NDArray[np.float32],
) -> None:
    """Sum the power of a clip's frames in mel bands.

    Parameters
    ----------
    samples : float32 [n_samples]
        Of the clip; frames are centred on every ``hop_samples``-th, with zeros beyond the ends.
    window : float32 [n_fft]
        Factor of each sample of a frame.
    hop_samples : int
        From one frame to the next.
    roots, places
        Of `tables`.
    first_bins, last_bins, weights
        Of `serctl.features.mel.sparse_mel_filters`.
    mel : float32 [n_frames, n_mels]
        Filled.
    """
    n_frames = mel.shape[0]
    n_fft = window.shape[0]
    n_rows = LANES + (n_fft - 1) // hop_samples
    # A few more than a hop, since what lies 4096 bytes apart contends for the same cache lines.
    hops = np.empty((n_rows, hop_samples + 4), np.float32)
    values = _aligned(n_fft // 2, 2 * LANES)
    powers = _aligned(n_fft // 2 + 1, LANES)
    sums = np.empty(LANES)
    for first in range(0, n_frames, LANES):
        _cut(samples, first * hop_samples - n_fft // 2, hop_samples, hops)
        _fill(hops, window, hop_samples, values)
        _transform(values, roots)
        _fill_powers(values, roots, places, powers)
        for m in range(mel.shape[1]):
            weighted_sums(powers, weights[m], first_bins[m], last_bins[m], sums)
            for i in range(min(LANES, n_frames - first)):
                mel[first + i, m] = sums[i]


@numba.njit(nogil=True, cache=True)
def _aligned(n_rows: int, n_columns: int) -> NDArray[np.float32]:
    """Memory that begins where a cache line does; across two of them all takes twice as long."""
    memory = np.empty(n_rows * n_columns + LINE_BYTES // 4, np.float32)
    first = -memory.ctypes.data % LINE_BYTES // 4
    return memory[first : first + n_rows * n_columns].reshape(n_rows, n_columns)


@numba.njit(nogil=True, cache=True)
def _cut(
    samples: NDArray[np.float32], first_sample: int, hop_samples: int, hops: NDArray[np.float32]
) -> None:
    """Cut samples in rows of a hop, with zeros before and after them."""
    for c in range(hops.shape[0]):
        start = first_sample + c * hop_samples
        low = min(max(-start, 0), hop_samples)
        high = max(min(samples.shape[0] - start, hop_samples), low)
        hops[c, :low] = 0.0
        hops[c, high:] = 0.0
        row, part = hops[c, low:high], samples[start + low :]
        for j in range(high - low):
            row[j] = part[j]


@numba.njit(nogil=True, cache=True)
def _fill(
    hops: NDArray[np.float32],
    window: NDArray[np.float32],
    hop_samples: int,
    values: NDArray[np.float32],
) -> None:
    """Window frames: the even samples of all, and the odd ones beside them."""
    step = hops.shape[1]
    flat = hops.reshape(-1)
    for j in range(values.shape[0]):
        for odd in range(2):
            k = 2 * j + odd
            later = flat[k // hop_samples * step + k % hop_samples :]
            row, factor = values[j, odd * LANES : (odd + 1) * LANES], window[k]
            for i in range(LANES):
                row[i] = later[i * step] * factor


@numba.njit(nogil=True, cache=True)
def _transform(z: NDArray[np.float32], roots: NDArray[np.float32]) -> None:
    """Fourier transform of complex numbers in place, by decimation in frequency.

    Rows have real parts first. That all of it is in one array, with `LANES` known when it is
    compiled, spares the compiler most checks of whether memory overlaps; with more it gives up.
    """
    n = z.shape[0]
    size = n
    while size >= 4:
        quarter = size // 4
        # Not all of a block's place first: memory 4096 bytes apart is taken for the same at first.
        for block in range(0, n, size):
            for j in range(quarter):
                turn = 2 * j * (n // size)  # there are 2n roots
                root1_re, root1_im = roots[turn, 0], roots[turn, 1]
                root2_re, root2_im = roots[2 * turn, 0], roots[2 * turn, 1]
                root3_re, root3_im = roots[3 * turn, 0], roots[3 * turn, 1]
                a = block + j
                b, c, d = a + quarter, a + 2 * quarter, a + 3 * quarter
                for i in range(LANES):
                    a_re, a_im = z[a, i], z[a, LANES + i]
                    b_re, b_im = z[b, i], z[b, LANES + i]
                    c_re, c_im = z[c, i], z[c, LANES + i]
                    d_re, d_im = z[d, i], z[d, LANES + i]
                    even_re, even_im = a_re + c_re, a_im + c_im
                    odd_re, odd_im = b_re + d_re, b_im + d_im
                    gap_re, gap_im = a_re - c_re, a_im - c_im
                    turned_re, turned_im = b_im - d_im, d_re - b_re  # -i (b - d)
                    z[a, i] = even_re + odd_re
                    z[a, LANES + i] = even_im + odd_im
                    re, im = gap_re + turned_re, gap_im + turned_im
                    z[b, i] = re * root1_re - im * root1_im
                    z[b, LANES + i] = re * root1_im + im * root1_re
                    re, im = even_re - odd_re, even_im - odd_im
                    z[c, i] = re * root2_re - im * root2_im
                    z[c, LANES + i] = re * root2_im + im * root2_re
                    re, im = gap_re - turned_re, gap_im - turned_im
                    z[d, i] = re * root3_re - im * root3_im
                    z[d, LANES + i] = re * root3_im + im * root3_re
        size = quarter
    if size == 2:
        for a in range(0, n, 2):
            for i in range(2 * LANES):
                z[a, i], z[a + 1, i] = z[a, i] + z[a + 1, i], z[a, i] - z[a + 1, i]


@numba.njit(nogil=True, cache=True)
def _fill_powers(
    z: NDArray[np.float32],
    roots: NDArray[np.float32],
    places: NDArray[np.int64],
    powers: NDArray[np.float32],
) -> None:
    """Take the real frames' spectra out of the complex ones, and give their power.

    With E and O, the spectra of even and odd samples: E + root O is bin k, E - root O bin n - k.
    """
    n = z.shape[0]
    for k in range(n // 2 + 1):
        a, b = places[k], places[(n - k) % n]
        root_re, root_im = roots[k, 0], roots[k, 1]
        for i in range(LANES):
            # Twice E and O.
            even_re, even_im = z[a, i] + z[b, i], z[a, LANES + i] - z[b, LANES + i]
            odd_re, odd_im = z[a, LANES + i] + z[b, LANES + i], z[b, i] - z[a, i]
            re = odd_re * root_re - odd_im * root_im
            im = odd_re * root_im + odd_im * root_re
            low_re, low_im = even_re + re, even_im + im
            high_re, high_im = even_re - re, even_im - im
            powers[k, i] = np.float32(0.25) * (low_re * low_re + low_im * low_im)
            powers[n - k, i] = np.float32(0.25) * (high_re * high_re + high_im * high_im)
