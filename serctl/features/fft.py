"""Mel spectrograms with a Fourier transform that processes many frames at once.

A row holds sample j of `LANES` frames, so that each step of the transform is one vector instruction
for many frames. A library that transforms one frame at a time takes 1.5 times as long. Frames must
be of a power of two (at least 8); `serctl.features.mel` uses NumPy for others.

A real frame of 2n samples is treated as n complex numbers, of even and odd samples (Sorensen et
al., 1987). The transform is in place, of radix 4, and leaves the bins in another order, which a
table lists. The compiler fuses and reorders nothing, so that every processor gives the same values.
"""

import functools

import numpy as np
from numpy.typing import NDArray

from serctl.features.kernels import LANES, numba, weighted_sums  # type: ignore[attr-defined]

LINE_BYTES = 64


@functools.cache
def tables(n_fft: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Tables for the transform.

    Parameters
    ----------
    n_fft : int
        A power of two, at least 8.

    Returns
    -------
    roots : float32 [n_fft, 2]
        Real and imaginary part of exp(-2 pi i k / n_fft).
    places : int64 [n_fft // 2]
        Position of each bin after the transform in place.
    """
    roots = np.exp(-2j * np.pi * np.arange(n_fft) / n_fft)
    places = np.argsort(_bins_in_place(n_fft // 2))
    return np.stack([roots.real, roots.imag], axis=1).astype(np.float32), places


def _bins_in_place(n: int) -> NDArray[np.int64]:
    """Bin at each position, [n]: a step of radix 4 sorts bins by their remainder."""
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
        Samples of the clip. Frames are centred on every ``hop_samples``-th, with zeros beyond the
        ends.
    window : float32 [n_fft]
        Window function.
    hop_samples : int
        Samples from one frame to the next.
    roots, places
        Of `tables`.
    first_bins, last_bins, weights
        Of `serctl.features.mel.sparse_mel_filters`.
    mel : float32 [n_frames, n_mels]
        Output.
    """
    n_frames = mel.shape[0]
    n_fft = window.shape[0]
    n_rows = LANES + (n_fft - 1) // hop_samples
    # A few more than a hop, since addresses 4096 bytes apart compete for the same cache lines.
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
    """Array aligned to cache lines; access across two of them takes twice as long."""
    memory = np.empty(n_rows * n_columns + LINE_BYTES // 4, np.float32)
    first = -memory.ctypes.data % LINE_BYTES // 4
    return memory[first : first + n_rows * n_columns].reshape(n_rows, n_columns)


@numba.njit(nogil=True, cache=True)
def _cut(
    samples: NDArray[np.float32], first_sample: int, hop_samples: int, hops: NDArray[np.float32]
) -> None:
    """Copy samples to rows of one hop, with zeros before and after them."""
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
    """Window the frames: even samples on the left, odd samples on the right."""
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

    Rows have the real parts first. One array, with `LANES` known at compile time, spares the
    compiler most checks for overlapping memory; with too many checks it does not vectorize.
    """
    n = z.shape[0]
    size = n
    while size >= 4:
        quarter = size // 4
        # Blocks in the outer loop, since processors first take addresses 4096 bytes apart for the same.
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
    """Compute the power spectra of the real frames from the complex transform.

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
