"""Speakers of the four corpora: sex and age, as far as the corpora give them.

CREMA-D gives both for each of its 91 actors (``crema-d-speakers.csv``, from the corpus's own list).
In RAVDESS odd numbers are men and even ones women, SAVEE has men alone, TESS two women of 64 (OAF)
and 26 (YAF). RAVDESS and SAVEE do not give ages.
"""

import csv
import functools
from dataclasses import dataclass
from pathlib import Path

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
