"""Background speech for augmented copies: other people of the same corpus.

Talkers come from the clip's own corpus and speaker fold. So whatever a split leaves out by speaker or
by corpus stays out of the background too, and a clip's copies are the same in every split. In the
splits that leave out clips (`report`, EmoBox's), a test clip may be heard, unlabelled, behind a
training clip. SAVEE and TESS have one speaker in each fold, and get synthetic voices.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from serctl.audio import decoding
from serctl.train.data.augmented_copies import Samples, synthetic_babble

MAX_TALKERS = 7
LONGEST_S = 30.0  # read of a talker's clip


class Talkers:
    """Clips of other speakers, for the background of each clip.

    Parameters
    ----------
    clips : DataFrame
        As `serctl.train.corpora.manifest.clip_table` returns them: all, whatever their emotion.
    """

    def __init__(self, clips: pd.DataFrame) -> None:
        self._others: dict[str, tuple[tuple[str, ...], ...]] = {}
        for _, group in clips.groupby(["corpus", "fold"]):
            paths: Mapping[str, tuple[str, ...]] = {
                str(speaker): tuple(own["path"]) for speaker, own in group.groupby("speaker")
            }
            for speaker, own in paths.items():
                others = tuple(paths[other] for other in paths if other != speaker)
                self._others.update(dict.fromkeys(own, others))

    def babble(
        self, path: str, n_samples: int, rate_hz: int, random: np.random.Generator
    ) -> Samples:
        """Draw one to `MAX_TALKERS` talkers at once, each from anywhere in one of their clips.

        Parameters
        ----------
        path : str
            Of the clip whose background it is.
        n_samples, rate_hz : int
            Length and sample rate.
        random : Generator
            Draws speakers, clips, places and levels.

        Returns
        -------
        float64 [n_samples]
            With standard deviation 1; synthetic if there are no others, or only silent ones.

        Raises
        ------
        AudioError
            If a clip cannot be decoded.
        """
        others = self._others[path]
        mix = np.zeros(n_samples)
        for _ in range(random.integers(1, MAX_TALKERS + 1) if others else 0):
            clips = others[random.integers(len(others))]
            clip = clips[random.integers(len(clips))]
            _, windows = decoding.read_windows(clip, rate_hz, LONGEST_S)
            voice = next(windows, np.zeros(1, np.float32)).astype(np.float64)
            voice = np.resize(np.roll(voice, -random.integers(len(voice))), n_samples)
            mix += random.uniform(0.4, 1) * voice / (voice.std() + 1e-9)
        if not mix.any():
            return synthetic_babble(n_samples, rate_hz, random)
        normalized: Samples = mix / (mix.std() + 1e-9)
        return normalized
