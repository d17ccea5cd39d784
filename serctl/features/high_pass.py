"""A high-pass filter: DC offset and rumble below speech removed.

Second order, Butterworth, causal; the coefficients are those of the bilinear transform (Zölzer,
"Digital Audio Signal Processing"). It starts as if the first sample had lasted for ever, so that a
DC offset leaves no click.
"""

import functools
import math

import numpy as np
from numpy.typing import NDArray

from serctl.features import kernels


def high_pass(samples: NDArray[np.float32], rate_hz: int, cutoff_hz: float) -> NDArray[np.float32]:
    """Samples without what is below a frequency.

    Parameters
    ----------
    samples : float32 [n_samples]
        Mono, at ``rate_hz``.
    rate_hz : int
        More than twice ``cutoff_hz``.
    cutoff_hz : float
        Where 3 dB are lost; an octave below, 12 dB more.

    Returns
    -------
    float32 [n_samples]
    """
    filtered = np.empty(len(samples), np.float32)
    samples = np.ascontiguousarray(samples, np.float32)
    kernels.second_order_filter(samples, *_coefficients(rate_hz, cutoff_hz), filtered)
    return filtered


@functools.cache
def _coefficients(rate_hz: int, cutoff_hz: float) -> tuple[float, float, float]:
    """First coefficient of the numerator, which is (b, -2 b, b), and the denominator's last two."""
    k = math.tan(math.pi * cutoff_hz / rate_hz)
    scale = 1 / (1 + math.sqrt(2) * k + k * k)
    return scale, 2 * (k * k - 1) * scale, (1 - math.sqrt(2) * k + k * k) * scale
