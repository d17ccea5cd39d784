"""Votes of CREMA-D's listeners, who judged the voice alone."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

VOTES = Path(__file__).with_name("crema-d-votes.csv")


def votes_of(
    clips: pd.DataFrame, emotions: Sequence[str], for_neutral: bool = False
) -> NDArray[np.float64]:
    """Votes of listeners to the voice alone, for each emotion; only CREMA-D has them.

    Parameters
    ----------
    clips : DataFrame
        With the columns corpus, clip and emotion.
    emotions : sequence of str
        In the order of the columns; votes for others are dropped.
    for_neutral : bool, optional
        Whether votes for neutral count for clips that are acted otherwise. They are 38% of the
        votes, and a network trained on them predicts neutral too often.

    Returns
    -------
    float64 [n_clips, n_emotions]
        How many; all 0 where nobody was asked.
    """
    table = pd.read_csv(VOTES).set_index("clip").reindex(columns=list(emotions), fill_value=0)
    votes = table.reindex(clips["clip"]).fillna(0).to_numpy(np.float64)
    votes[(clips["corpus"] != "crema-d").to_numpy()] = 0
    if "neutral" in emotions and not for_neutral:
        acted = (clips["emotion"] != "neutral").to_numpy()
        votes[acted, list(emotions).index("neutral")] = 0
    return votes
