"""Scores by the sex and the age of who speaks, as far as the corpora tell them.

CREMA-D gives both for each of its 91 actors (``crema-d-speakers.csv``, from the corpus's own list).
In RAVDESS odd numbers are men and even ones women, SAVEE has men alone, TESS two women of 64 (OAF)
and 26 (YAF). Ages in RAVDESS and SAVEE are not told one by one.
"""

import csv
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serctl.train.scores import score

SEXES = ("female", "male")
# First age that is too old for it.
AGE_GROUPS = (("under 30", 30), ("30 to 44", 45), ("45 to 59", 60), ("60 and over", None))
AGE_NOT_KNOWN = "not known"


@dataclass(frozen=True)
class Speaker:
    """Who speaks.

    Attributes
    ----------
    sex : str
        One of `SEXES`.
    age : int or None
        In years, when recorded; None where it is not known.
    """

    sex: str
    age: int | None

    @property
    def age_group(self) -> str:
        """One of `AGE_GROUPS`, or `AGE_NOT_KNOWN`."""
        if self.age is None:
            return AGE_NOT_KNOWN
        return next(name for name, end in AGE_GROUPS if end is None or self.age < end)


@functools.cache
def speakers_known() -> dict[str, Speaker]:
    """Every speaker of the four corpora, by the name that clips have, such as ``crema1001``."""
    path = Path(__file__).with_name("crema-d-speakers.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        **{row["speaker"]: Speaker(row["sex"], int(row["age"])) for row in rows},
        **{f"ravdess{i:02}": Speaker("male" if i % 2 else "female", None) for i in range(1, 25)},
        **{f"savee{initials}": Speaker("male", None) for initials in ("DC", "JE", "JK", "KL")},
        "tessOAF": Speaker("female", 64),
        "tessYAF": Speaker("female", 26),
    }


def score_groups(
    acted: Sequence[str],
    answered: Sequence[str],
    speakers: Sequence[str],
    emotions: Sequence[str],
) -> dict[str, dict[str, dict[str, Any]]]:
    """Score the clips of each group of speakers by itself.

    Parameters
    ----------
    acted, answered : sequence of str [n]
        As `serctl.train.scores.score` takes them.
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
                scored[group] = _scores(acted, answered, speakers, emotions, members)
        return scored

    ages = [*(name for name, _ in AGE_GROUPS), AGE_NOT_KNOWN]
    return {
        "sex": scores_by(lambda speaker: speaker.sex, SEXES),
        "age": scores_by(lambda speaker: speaker.age_group, ages),
    }


def _scores(
    acted: Sequence[str],
    answered: Sequence[str],
    speakers: Sequence[str],
    emotions: Sequence[str],
    members: Sequence[int],
) -> dict[str, Any]:
    of_group = score(
        [acted[i] for i in members],
        [answered[i] for i in members],
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
