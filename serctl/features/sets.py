"""Sets of features: the columns of each, what they need, and where they are computed.

``report``     `serctl.features.descriptors`: what the report's networks take and propose
``prosody``    `serctl.features.prosody`: pitch, loudness, voice quality and speech rate, by Praat
``embedding``  `serctl.models.embedding`: what the encoder of the model ``whisper`` makes of speech
``egemaps``    `serctl.features.egemaps`: the functionals of eGeMAPS, by openSMILE

Praat's and openSMILE's packages have licences of their own, so serctl does not install them.
"""

import importlib.util

from serctl.errors import RunError, UsageError
from serctl.features.blocks import BlockFeatures
from serctl.features.descriptors import value_names
from serctl.features.mel import MelSpec

SPEC = MelSpec()  # librosa's defaults, as in the report
REPORT, PROSODY, EMBEDDING, EGEMAPS = "report", "prosody", "embedding", "egemaps"
SETS = (REPORT, PROSODY, EMBEDDING, EGEMAPS)
N_EMBEDDING = 2048  # of the bundled encoder: mean and deviation of 512 activations of two blocks
# What is imported, what pip installs, and its licence.
PACKAGES = {
    PROSODY: ("parselmouth", "praat-parselmouth", "GPL-3.0 or later"),
    EGEMAPS: ("opensmile", "opensmile", "free for research and education only"),
}


def check_set(name: str, output: str, frames: bool) -> None:
    """Check that a set can be computed, before any work.

    Parameters
    ----------
    name : str
        One of `SETS`.
    output : str
        Path of the table, for the message.
    frames : bool
        Whether frames are saved, which only ``report`` has.

    Raises
    ------
    UsageError
        If it has no frames to save.
    RunError
        If its package is not installed.
    """
    if frames and name != REPORT:
        raise UsageError(f"--set {name}: has no frames. Remove --frames.")
    module, package, licence = PACKAGES.get(name, ("", "", ""))
    if module and importlib.util.find_spec(module) is None:
        raise RunError(
            f"{output}: --set {name} needs the package {package} (licence: {licence}), which is not "
            f"installed. Install it with: pip install {package}"
        )


def names_of(name: str) -> tuple[str, ...]:
    """Columns of a set, in order.

    Parameters
    ----------
    name : str
        One of `SETS`, whose package is installed.
    """
    if name == PROSODY:
        from serctl.features import prosody

        return prosody.NAMES
    if name == EMBEDDING:
        return tuple(f"embedding_{i}" for i in range(1, N_EMBEDDING + 1))
    if name == EGEMAPS:
        from serctl.features import egemaps

        return egemaps.names()
    return value_names(SPEC)


def by_package(name: str) -> BlockFeatures:
    """How ``prosody`` or ``egemaps`` is computed, by the package of others that it needs."""
    if name == PROSODY:
        from serctl.features import prosody

        return prosody.PROSODY
    from serctl.features import egemaps

    return egemaps.EGEMAPS
