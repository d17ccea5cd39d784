"""Recordings of known emotion, to score a model on: corpus clips, by their names or by a split."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from serctl.errors import CorporaError
from serctl.results import Result
from serctl.scan import scan
from serctl.train.corpora import clip_table, parse_clip_name
from serctl.train.scores import Scores, score
from serctl.train.splits import split_clips


@dataclass(frozen=True)
class LabelledRecordings:
    """Recordings whose emotion is known, and known to the model.

    Attributes
    ----------
    paths, acted, corpora : list of str [n]
        Path, emotion and corpus of each.
    emotions : tuple of str
        Those acted at least once, in the model's order: what the model is to choose between.
    n_left_out : int
        Clips of an emotion that the model does not know.
    n_unknown : int
        Recordings that are no clip of the four corpora, by their names.
    """

    paths: list[str]
    acted: list[str]
    corpora: list[str]
    emotions: tuple[str, ...]
    n_left_out: int
    n_unknown: int

    def score(self, results: Sequence[Result]) -> Scores:
        """Score the results of all of them, in their order."""
        heard = [result.emotion for result in results]
        return score(self.acted, heard, self.corpora, self.emotions)


def recordings_by_name(paths: Sequence[str], known: Sequence[str]) -> LabelledRecordings:
    """Clips of the four corpora among recordings.

    Parameters
    ----------
    paths : sequence of str
        Recordings and folders, as `serctl.scan.scan` takes them.
    known : sequence of str
        The model's emotions.

    Raises
    ------
    UsageError, NothingFoundError
        If a path does not exist, or there is no recording.
    CorporaError
        If fewer than two of the model's emotions are there.
    """
    found = scan(paths)
    # The absolute path, since a folder that was named may itself be the one of SAVEE's speaker.
    names = [(path, parse_clip_name(os.path.abspath(path))) for path in found]
    clips = [(path, name.emotion, name.corpus) for path, name in names if name is not None]
    if not clips:
        raise CorporaError(
            f"{', '.join(paths)}: {len(found)} recordings, such as {found[0]}, none with the name "
            "of a clip of CREMA-D, RAVDESS, SAVEE or TESS. Labels are read from such names."
        )
    return _known_clips(clips, known, ", ".join(paths), n_unknown=len(found) - len(clips))


def recordings_of_split(
    corpora: str, split: str, fold: int, seed: int, known: Sequence[str]
) -> LabelledRecordings:
    """Test part of a split, over the emotions that a model knows.

    Parameters
    ----------
    corpora : str
        Folder of the four corpora.
    split, fold, seed
        As `serctl.train.splits.split_clips` takes them.
    known : sequence of str
        The model's emotions.

    Raises
    ------
    CorporaError
        If the corpora are not there, whole.
    """
    table = clip_table(corpora)
    table = table.assign(emotion=[_as_known(emotion, known) for emotion in table["emotion"]])
    table = table[table["emotion"].isin(known)].reset_index(drop=True)
    test = table.iloc[split_clips(table, split, fold, seed).test]
    clips = list(zip(test["path"], test["emotion"], test["corpus"], strict=True))
    return _known_clips(clips, known, corpora, n_unknown=0)


def _as_known(emotion: str, known: Sequence[str]) -> str:
    """Calm counts as neutral for a model that knows no calm."""
    return "neutral" if emotion == "calm" and "calm" not in known else emotion


def _known_clips(
    clips: list[tuple[str, str, str]], known: Sequence[str], where: str, n_unknown: int
) -> LabelledRecordings:
    clips = [(path, _as_known(emotion, known), corpus) for path, emotion, corpus in clips]
    kept = [clip for clip in clips if clip[1] in known]
    acted = [emotion for _, emotion, _ in kept]
    emotions = tuple(emotion for emotion in known if emotion in acted)
    if len(emotions) < 2:
        raise CorporaError(
            f"{where}: {len(clips)} clips, of the model's emotions only "
            f"{', '.join(emotions) or 'none'}; to score it, at least two of {', '.join(known)} are "
            "needed."
        )
    return LabelledRecordings(
        paths=[path for path, _, _ in kept],
        acted=acted,
        corpora=[corpus for _, _, corpus in kept],
        emotions=emotions,
        n_left_out=len(clips) - len(kept),
        n_unknown=n_unknown,
    )
