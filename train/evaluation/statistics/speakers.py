"""Intervals of shares where clips come in clusters, as those of one speaker do.

The variance is the jackknife's: each speaker is left out in turn (CV3 of MacKinnon, Nielsen and Webb,
"Cluster-robust inference: a guide to empirical practice", Journal of Econometrics 2023). Student's t
has as many degrees of freedom as speakers of equal weight would give, less one (Kish, "Survey
Sampling", 1965). With few speakers, a percentile bootstrap over speakers is too narrow
(``tests/measure_coverage.py`` measures both). Nothing here is random.
"""

import numpy as np
import scipy.stats
from numpy.typing import NDArray

LEVEL = 0.95


def effective_speakers(n_clips: NDArray[np.int64]) -> float:
    """Number of speakers of equal weight that say as much as these.

    Parameters
    ----------
    n_clips : int [n_speakers]
        Of each speaker; at least one clip in all.

    Returns
    -------
    float
        In [1, n_speakers]: one over the sum of the squared shares.
    """
    shares = n_clips / n_clips.sum()
    return float(1 / (shares @ shares))


def jackknife_variance(without: NDArray[np.float64], whole: float) -> float:
    """Variance of a measure over speakers drawn anew.

    Parameters
    ----------
    without : float [n_speakers]
        The measure without each speaker in turn; at least two.
    whole : float
        The measure with all.
    """
    n_speakers = len(without)
    return float((n_speakers - 1) / n_speakers * np.square(without - whole).sum())


def student_quantile(n_effective: float) -> float:
    """How many standard errors the interval reaches to each side.

    Parameters
    ----------
    n_effective : float
        By `effective_speakers`. One degree of freedom at least, since t has no variance below.
    """
    return float(scipy.stats.t.ppf((1 + LEVEL) / 2, max(n_effective - 1, 1)))


def score_interval(share: float, n_clips: float, quantile: float) -> list[float]:
    """Wilson's score interval, which stays in [0, 1] and is no point at 0 or 1.

    Parameters
    ----------
    share : float
        Of clips, in [0, 1].
    n_clips : float
        Of which it is a share: of independent clips, or as many as have its variance.
    quantile : float
        Of the normal distribution, or of Student's t.

    Returns
    -------
    list of float
        Low and high (Wilson, "Probable inference", JASA 1927).
    """
    squared = quantile**2 / n_clips
    middle = (share + squared / 2) / (1 + squared)
    half = np.sqrt(share * (1 - share) * squared + squared**2 / 4) / (1 + squared)
    return [max(float(middle - half), 0.0), min(float(middle + half), 1.0)]


def share_interval(
    share: float, without: NDArray[np.float64], n_clips: NDArray[np.int64]
) -> list[float] | None:
    """Interval of a share over speakers.

    Parameters
    ----------
    share : float
        Over all clips, in [0, 1], such as UA or a recall.
    without : float [n_speakers]
        The same without each speaker in turn; NaN where nothing is left to measure.
    n_clips : int [n_speakers]
        Of each speaker.

    Returns
    -------
    list of float, or None
        Low and high. None if it cannot be known: of one speaker, or if a speaker alone has all clips
        of an emotion.
    """
    if len(without) < 2 or not np.isfinite(without).all():
        return None
    variance = jackknife_variance(without, share)
    # As many independent clips as give this variance; if speakers do not differ at all, all clips.
    n_independent = share * (1 - share) / variance if variance > 0 else 0.0
    quantile = student_quantile(effective_speakers(n_clips))
    return score_interval(share, n_independent or float(n_clips.sum()), quantile)
