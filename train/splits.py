"""The splits by which accuracy is measured: which clips train, validate and test.

``report``        the report's own: random by clip, 70/15/15, stratified by corpus and emotion, so
                  that speakers stand on both sides.
``new-speakers``  the manifest's five folds of speakers: fold k's marked clips are tested, CREMA-D's
                  and RAVDESS's clips of fold k + 1 (mod 5) validate, everything else outside fold k
                  trains.

Clips known to be silent or to have two labels stay in the test parts and out of the others, so that
counts are the published ones. Identical clips never stand on both sides.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from serctl.errors import UsageError
from serctl.train.corpora import IDENTICAL_CLIPS, LEFT_OUT_OF_TRAINING

SPLITS = ("report", "new-speakers")
N_FOLDS = 5


@dataclass(frozen=True)
class Split:
    """Rows of a clip table in each part.

    Attributes
    ----------
    train, validation, test : int64 [n]
        Positions in the table, ascending, no clip twice.
    """

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def split_clips(table: pd.DataFrame, name: str, fold: int = 0, seed: int = 0) -> Split:
    """Split a table of clips.

    Parameters
    ----------
    table : DataFrame
        Clips as `serctl.train.corpora.clip_table` returns them, restricted to the emotions in use.
    name : str
        One of `SPLITS`.
    fold : int
        Of ``new-speakers``: 0 to 4.
    seed : int
        Of ``report``'s drawing.

    Raises
    ------
    UsageError
        If there is no such split or fold.
    """
    if name == "report":
        parts = _report(table, seed)
    elif name == "new-speakers":
        parts = _new_speakers(table, fold)
    else:
        raise UsageError(f"{name}: not a split; there are {', '.join(SPLITS)}.")
    left_out = np.array([clip in LEFT_OUT_OF_TRAINING for clip in _clips(table)])
    train, validation, test = parts
    return Split(train[~left_out[train]], validation[~left_out[validation]], test)


def _clips(table: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(table["corpus"], table["clip"], strict=True))


def _report(table: pd.DataFrame, seed: int) -> tuple[NDArray[np.int64], ...]:
    strata = (table["corpus"] + " " + table["emotion"]).to_numpy()
    rows = np.arange(len(table))
    train, rest = train_test_split(rows, test_size=0.3, stratify=strata, random_state=seed)
    validation, test = train_test_split(
        rest, test_size=0.5, stratify=strata[rest], random_state=seed
    )
    part = np.empty(len(table), np.int64)
    for i, members in enumerate((train, validation, test)):
        part[members] = i
    row_of = {clip: row for row, clip in enumerate(_clips(table))}
    for group in IDENTICAL_CLIPS:
        present = [row_of[clip] for clip in group if clip in row_of]
        # Pairs with two labels leave the training part anyhow, and keep their places in the others.
        if present and not set(group) & LEFT_OUT_OF_TRAINING:
            part[present] = part[present[0]]
    return tuple(np.flatnonzero(part == i) for i in range(3))


def _new_speakers(table: pd.DataFrame, fold: int) -> tuple[NDArray[np.int64], ...]:
    if not 0 <= fold < N_FOLDS:
        raise UsageError(f"fold {fold}: there are folds 0 to {N_FOLDS - 1}.")
    folds = table["fold"].to_numpy()
    held_out = folds == fold
    validates = (folds == (fold + 1) % N_FOLDS) & table["corpus"].isin(["crema-d", "ravdess"])
    validates = validates.to_numpy()
    tested = held_out & table["test"].to_numpy()
    parts = (~held_out & ~validates, validates, tested)
    return tuple(np.flatnonzero(members) for members in parts)
