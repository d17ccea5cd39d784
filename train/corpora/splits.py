"""The splits by which accuracy is measured: which clips train, validate and test.

``report``        the report's own: random by clip, 70/15/15, stratified by corpus and emotion, so
                  that speakers stand on both sides.
``new-speakers``  the manifest's five folds of speakers: fold k's marked clips are tested, CREMA-D's
                  and RAVDESS's clips of fold k + 1 (mod 5) validate, everything else outside fold k
                  trains.
``emobox-<corpus>``  EmoBox's (Ma et al., 2024, arXiv 2406.07162), of one corpus with all its
                  emotions: fold k tests the clips of its list's fold k + 1; of the corpus's other
                  clips a seeded tenth validates, whole speakers where there are more than four,
                  and the rest trains.
``cross-corpus-<corpus>``  one corpus is left out: its clips outside fold 0 are tested; of the
                  other three, CREMA-D's and RAVDESS's clips of fold 1 validate, and everything
                  else outside fold 0 trains.

Clips known to be silent or to have two labels stay in the test parts and out of the others, so that
counts are the published ones. Identical clips never stand on both sides.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from serctl.emotions import EMOTIONS, REPORT_FIVE, map_to_known
from serctl.errors import UsageError
from serctl.train.corpora.manifest import CORPORA, IDENTICAL_CLIPS, LEFT_OUT_OF_TRAINING

EMOBOX, CROSS_CORPUS = "emobox-", "cross-corpus-"
REPORT, NEW_SPEAKERS = "report", "new-speakers"
REPORT_SEEDS = (0, 1, 2)
N_FOLDS = 5  # of new-speakers
FOLD_COUNTS = {
    REPORT: 1,
    NEW_SPEAKERS: N_FOLDS,
    "emobox-crema-d": 1,
    "emobox-ravdess": 6,
    "emobox-savee": 4,
    "emobox-tess": 1,
    **{f"{CROSS_CORPUS}{corpus}": 1 for corpus in CORPORA},
}
SPLITS = tuple(FOLD_COUNTS)
MAX_SPEAKERS_SPLIT_BY_CLIP = 4  # with so few, a tenth is less than one speaker


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
        Clips as `serctl.train.corpora.manifest.clip_table` returns them, restricted to the emotions
        in use.
    name : str
        One of `SPLITS`.
    fold : int
        From 0 on, below `FOLD_COUNTS`; ``report`` has none and does not look at it.
    seed : int
        Of what is drawn: all of ``report``, and the validation part of EmoBox's splits.

    Raises
    ------
    UsageError
        If there is no such split or fold.
    """
    if name not in SPLITS:
        raise UsageError(f"{name}: not a split; there are {', '.join(SPLITS)}.")
    if name == "report":
        parts = _report(table, seed)
    elif not 0 <= fold < FOLD_COUNTS[name]:
        raise UsageError(f"fold {fold}: {name} has folds 0 to {FOLD_COUNTS[name] - 1}.")
    elif name == "new-speakers":
        parts = _new_speakers(table, fold)
    elif name.startswith(CROSS_CORPUS):
        parts = _cross_corpus(table, name.removeprefix(CROSS_CORPUS))
    else:
        parts = _emobox(table, name.removeprefix(EMOBOX), fold, seed)
    left_out = np.array([clip in LEFT_OUT_OF_TRAINING for clip in _clips(table)])
    train, validation, test = parts
    return Split(train[~left_out[train]], validation[~left_out[validation]], test)


def split_corpus(name: str) -> str | None:
    """Corpus of a split that has one alone, with all of its emotions; None for the others."""
    corpus = name.removeprefix(EMOBOX)
    return corpus if name != corpus and corpus in CORPORA else None


def emotions_of(split: str, clips: pd.DataFrame, known: Sequence[str]) -> tuple[str, ...]:
    """Emotions that a model of a split chooses between.

    Parameters
    ----------
    split : str
        One of `SPLITS`.
    clips : DataFrame
        Of all corpora.
    known : sequence of str
        Those of the recipe.

    Returns
    -------
    tuple of str
        All of the split's own corpus; or else those of the recipe, of which ``report`` takes the
        report's five alone.
    """
    corpus = split_corpus(split)
    if corpus is not None:
        acted = set(clips["emotion"][clips["corpus"] == corpus])
        return tuple(emotion for emotion in EMOTIONS if emotion in acted)
    five = split == "report"
    return tuple(emotion for emotion in known if not five or emotion in REPORT_FIVE)


def clips_of(clips: pd.DataFrame, emotions: Sequence[str]) -> pd.DataFrame:
    """Clips of some emotions, as `serctl.emotions.map_to_known` counts them."""
    clips = clips.assign(emotion=[map_to_known(emotion, emotions) for emotion in clips["emotion"]])
    return clips[clips["emotion"].isin(emotions)].reset_index(drop=True)


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
    folds = table["fold"].to_numpy()
    held_out = folds == fold
    validates = (folds == (fold + 1) % N_FOLDS) & table["corpus"].isin(["crema-d", "ravdess"])
    validates = validates.to_numpy()
    tested = held_out & table["test"].to_numpy()
    parts = (~held_out & ~validates, validates, tested)
    return tuple(np.flatnonzero(members) for members in parts)


def _cross_corpus(table: pd.DataFrame, corpus: str) -> tuple[NDArray[np.int64], ...]:
    left_out = (table["corpus"] == corpus).to_numpy()
    train, validation, _ = _new_speakers(table, 0)
    tested = left_out & (table["fold"] != 0).to_numpy()
    return train[~left_out[train]], validation[~left_out[validation]], np.flatnonzero(tested)


def _emobox(
    table: pd.DataFrame, corpus: str, fold: int, seed: int
) -> tuple[NDArray[np.int64], ...]:
    ours = (table["corpus"] == corpus).to_numpy()
    tested = ours & (table["emobox"] == fold + 1).to_numpy()
    rest = np.flatnonzero(ours & ~tested)
    speakers = table["speaker"].to_numpy()[rest]
    drawn_from = np.unique(speakers)
    if len(drawn_from) > MAX_SPEAKERS_SPLIT_BY_CLIP:
        _, drawn = train_test_split(drawn_from, test_size=0.1, random_state=seed)
        validates = np.isin(speakers, drawn)
    else:
        _, drawn = train_test_split(rest, test_size=0.1, random_state=seed)
        validates = np.isin(rest, drawn)
    return rest[~validates], rest[validates], np.flatnonzero(tested)
