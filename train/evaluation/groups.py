"""Scores by the sex and the age of the speakers (`serctl.train.corpora.speakers`)."""

from collections.abc import Callable, Sequence
from typing import Any

from serctl.train.corpora.speakers import AGE_GROUPS, AGE_NOT_KNOWN, SEXES, Speaker, speakers_known
from serctl.train.evaluation.scores import score


def score_groups(
    references: Sequence[str],
    predictions: Sequence[str],
    speakers: Sequence[str],
    emotions: Sequence[str],
) -> dict[str, dict[str, dict[str, Any]]]:
    """Score the clips of each group of speakers by itself.

    Parameters
    ----------
    references, predictions : sequence of str [n]
        As `serctl.train.evaluation.scores.score` takes them.
    speakers : sequence of str [n]
        The speaker of each clip.
    emotions : sequence of str
        Of the model.

    Returns
    -------
    dict
        ``sex`` and ``age``, each from group to ``n_speakers``, ``n_clips``, ``wa``, ``ua`` and
        ``ua_interval`` ([low, high]). Groups without a clip are left out.

    Raises
    ------
    KeyError
        If a speaker is none of `speakers_known`.
    """
    known = speakers_known()

    def scores_by(
        group_of: Callable[[Speaker], str], groups: Sequence[str]
    ) -> dict[str, dict[str, Any]]:
        scored = {}
        for group in groups:
            members = [i for i, one in enumerate(speakers) if group_of(known[one]) == group]
            if members:
                scored[group] = _scores(references, predictions, speakers, emotions, members)
        return scored

    ages = [*(name for name, _ in AGE_GROUPS), AGE_NOT_KNOWN]
    return {
        "sex": scores_by(lambda speaker: speaker.sex, SEXES),
        "age": scores_by(lambda speaker: speaker.age_group, ages),
    }


def _scores(
    references: Sequence[str],
    predictions: Sequence[str],
    speakers: Sequence[str],
    emotions: Sequence[str],
    members: Sequence[int],
) -> dict[str, Any]:
    of_group = score(
        [references[i] for i in members],
        [predictions[i] for i in members],
        [""] * len(members),
        emotions,
    )
    return {
        "n_speakers": len({speakers[i] for i in members}),
        "n_clips": of_group.n_clips,
        "wa": of_group.wa,
        "ua": of_group.ua,
        "ua_interval": of_group.intervals["ua"],
    }
