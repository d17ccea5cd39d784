"""The functionals of eGeMAPS, by openSMILE (the package opensmile).

Eyben et al., "The Geneva minimalistic acoustic parameter set (GeMAPS) for voice research and affective
computing", IEEE Transactions on Affective Computing, 2016. Version 02, 88 values, under openSMILE's
own names. openSMILE is free for research and education; for commercial use audEERING sells licences.
"""

import functools
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serctl.features.blocks import BlockFeatures

RATE_HZ = 16_000
MAX_S = 600.0  # functionals are of a whole recording, which is in memory

_opensmile = threading.Lock()


@functools.cache
def _smile() -> Any:
    import opensmile

    return opensmile.Smile(
        feature_set=opensmile.FeatureSet.eGeMAPSv02,
        feature_level=opensmile.FeatureLevel.Functionals,
    )


def names() -> tuple[str, ...]:
    """Columns, as openSMILE names them."""
    return tuple(_smile().feature_names)


def _measure(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    with _opensmile:
        values = _smile().process_signal(samples, RATE_HZ)
    functionals: NDArray[np.float32] = values.to_numpy(np.float32)[0]
    return functionals


EGEMAPS = BlockFeatures(
    rate_hz=RATE_HZ,
    block_s=MAX_S,
    min_s=0.1,
    max_blocks=1,
    measure=_measure,
    combine=lambda measured: measured[0],
)
