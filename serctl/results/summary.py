"""Summaries of results: by emotion, by folder and by status.

Results are read row by row and only counts are kept, so that a file of any length needs little
memory. The rows of several files are added, and so are their emotions. A file that is no valid
results file raises an error; there is no summary of a part.

All formats are made from the same tidy rows. Shares are in [0, 1]: of the labelled recordings by
emotion, and of all recordings otherwise. Durations are in seconds:

- by emotion: ``emotion, n, share, mean_confidence, duration_s``
- by folder: ``folder, n, share, mean_confidence, duration_s, most_frequent, n_<emotion> ...``; of
  equally frequent emotions, the first in the order of the columns
- by status: ``status, reason, n, share, duration_s, example``, one row per
  reason; reasons that differ only in numbers are one, with ``...`` for the numbers
"""

import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from serctl.emotions import EMOTIONS
from serctl.errors import NothingFoundError
from serctl.results.dialects import csv_line
from serctl.results.reader import read_results
from serctl.results.schema import STATUSES, UNCERTAIN, Result
from serctl.results.speech_time import SpeechTime, speech_time

GROUPINGS = ("emotion", "folder", "status")
N_EXAMPLES = 3  # paths per reason
MOST_REASONS = 1000  # that are kept, the most frequent; the others of a status are counted as one
OTHER_REASONS = "other reasons"

NUMBER = re.compile(r"\d+(?:\.\d+)?")
ANY_NUMBER = "..."

# A value of a tidy row.
Value = str | float | int | None


@dataclass(slots=True)
class Tally:
    """Number of recordings, their total duration, and the sum of their confidence."""

    n: int = 0
    duration_s: float = 0.0
    n_labelled: int = 0
    confidence: float = 0.0
    emotions: Counter[str] = field(default_factory=Counter)

    def add(self, result: Result) -> None:
        """Add the result of one recording."""
        self.n += 1
        self.duration_s += result.duration_s or 0.0
        if result.status == "ok":
            self.n_labelled += 1
            self.confidence += result.confidence or 0.0
            self.emotions[result.emotion] += 1

    def merge(self, other: "Tally") -> None:
        """Add all recordings of another tally."""
        self.n += other.n
        self.duration_s += other.duration_s
        self.n_labelled += other.n_labelled
        self.confidence += other.confidence
        self.emotions.update(other.emotions)

    @property
    def mean_confidence(self) -> float | None:
        """Mean over the labelled recordings; None if there are none."""
        return round(self.confidence / self.n_labelled, 6) if self.n_labelled else None


@dataclass(slots=True)
class Reason:
    """One reason for a status, with its first recordings."""

    status: str
    words: list[str]
    numbers: list[str]
    tally: Tally = field(default_factory=Tally)
    examples: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The reason, with ``...`` for numbers that differ."""
        pairs = zip(self.words, [*self.numbers, ""], strict=True)
        return "".join(word + number for word, number in pairs)


@dataclass(slots=True)
class Summary:
    """Summary of results files.

    Attributes
    ----------
    files : tuple of str
        Paths of the results files.
    emotions : tuple of str
        Emotions of all files: first those of `serctl.emotions`, in its order, then others.
    total : Tally
        Count of all recordings.
    by_emotion, by_folder, by_status : dict
        Counts; folders are those in the paths of the recordings.
    reasons : dict
        By status and text of the reason.
    n_duplicates : int
        Rows that are the same as another, and were not counted.
    speech_time : SpeechTime
        Of the segments beside the files.
    """

    files: tuple[str, ...]
    emotions: tuple[str, ...]
    total: Tally = field(default_factory=Tally)
    by_emotion: dict[str, Tally] = field(default_factory=dict)
    by_folder: dict[str, Tally] = field(default_factory=dict)
    by_status: dict[str, Tally] = field(default_factory=dict)
    reasons: dict[tuple[str, ...], Reason] = field(default_factory=dict)
    n_duplicates: int = 0
    speech_time: SpeechTime = field(default_factory=SpeechTime)

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions, and `serctl.results.schema.UNCERTAIN` if a recording is."""
        return (*self.emotions, *((UNCERTAIN,) if UNCERTAIN in self.by_emotion else ()))

    def add(self, result: Result) -> None:
        """Add the result of one recording."""
        self.total.add(result)
        self.by_folder.setdefault(os.path.dirname(result.path) or ".", Tally()).add(result)
        self.by_status.setdefault(result.status, Tally()).add(result)
        if result.status == "ok":
            self.by_emotion.setdefault(result.emotion, Tally()).add(result)
        words, numbers = NUMBER.split(result.reason), NUMBER.findall(result.reason)
        reason = self.reasons.setdefault(
            (result.status, *words), Reason(result.status, words, numbers)
        )
        pairs = zip(reason.numbers, numbers, strict=True)
        reason.numbers = [old if old == new else ANY_NUMBER for old, new in pairs]
        reason.tally.add(result)
        if len(reason.examples) < N_EXAMPLES:
            reason.examples.append(result.path)
        if len(self.reasons) > 2 * MOST_REASONS:
            self._merge_rare_reasons()

    def _merge_rare_reasons(self) -> None:
        """Keep the `MOST_REASONS` most frequent reasons, and count the rest as one per status."""
        frequent = sorted(self.reasons, key=lambda key: -self.reasons[key].tally.n)
        for key in frequent[MOST_REASONS:]:
            rare = self.reasons.pop(key)
            other = self.reasons.setdefault(
                (rare.status, OTHER_REASONS), Reason(rare.status, [OTHER_REASONS], [])
            )
            other.tally.merge(rare.tally)
            other.examples = (other.examples + rare.examples)[:N_EXAMPLES]

    def ordered_reasons(self) -> list[Reason]:
        """Reasons in the order of the statuses, the most frequent first."""
        if len(self.reasons) > MOST_REASONS:
            self._merge_rare_reasons()
        return sorted(
            self.reasons.values(),
            key=lambda reason: (STATUSES.index(reason.status), -reason.tally.n, reason.text),
        )


def summarize(files: Sequence[str | os.PathLike[str]]) -> Summary:
    """Summarize results files. Of rows that are the same, one is counted.

    Parameters
    ----------
    files : sequence of str or path
        Paths, as of `serctl.results.reader.read_results`.

    Raises
    ------
    PathError, UsageError, ResultsError
        As `serctl.results.reader.read_results`.
    NothingFoundError
        If no file has a row.
    """
    names = tuple(os.fspath(path) for path in files)
    opened = [read_results(name) for name in names]
    found = list(dict.fromkeys(emotion for emotions, _ in opened for emotion in emotions))
    known = [emotion for emotion in EMOTIONS if emotion in found]
    others = [emotion for emotion in found if emotion not in EMOTIONS]
    summary = Summary(names, (*known, *others))
    seen: set[int] = set()  # hashes alone, since there may be millions of rows
    for _, results in opened:
        for result in results:
            key = hash(result)
            if key in seen:
                summary.n_duplicates += 1
            else:
                seen.add(key)
                summary.add(result)
    if not summary.total.n:
        raise NothingFoundError(
            f"{', '.join(names)}: no rows; a row for every recording was expected. Create the "
            "results again with serctl classify."
        )
    summary.speech_time = speech_time(names)
    return summary


def rows(summary: Summary, by: str) -> list[dict[str, Value]]:
    """Tidy rows of a summary.

    Parameters
    ----------
    summary : Summary
        Of results files.
    by : str
        One of `GROUPINGS`.

    Returns
    -------
    list of dict
        With the columns in the docstring of this module. Every emotion has a row, even without
        recordings; folders are sorted by path.
    """
    if by == "emotion":
        return [
            {"emotion": emotion, **_figures(tally, summary.total.n_labelled)}
            for emotion in summary.labels
            for tally in [summary.by_emotion.get(emotion, Tally())]
        ]
    if by == "folder":
        return [
            {
                "folder": folder,
                **_figures(tally, summary.total.n),
                "most_frequent": max(summary.labels, key=tally.emotions.__getitem__)
                if tally.n_labelled
                else "",
                **{f"n_{emotion}": tally.emotions[emotion] for emotion in summary.labels},
            }
            for folder, tally in sorted(summary.by_folder.items())
        ]
    return [
        {
            "status": reason.status,
            "reason": reason.text,
            "n": reason.tally.n,
            "share": _share(reason.tally.n, summary.total.n),
            "duration_s": round(reason.tally.duration_s, 3),
            "example": reason.examples[0],
        }
        for reason in summary.ordered_reasons()
    ]


def csv_text(summary: Summary, by: str) -> str:
    """Tidy rows as CSV with a header; cells without a value are empty."""
    found = rows(summary, by)
    lines = [list(found[0])]
    lines += [["" if value is None else str(value) for value in row.values()] for row in found]
    return "".join(csv_line(line) for line in lines)


def json_text(summary: Summary) -> str:
    """Complete summary as one JSON object.

    Returns
    -------
    str
        ``files``, ``n_recordings``, ``n_labelled``, ``mean_confidence``, ``duration_s``, and the
        tidy rows under ``emotion``, ``folder``, ``status`` and, of segments, ``speech``.
    """
    everything = {
        "files": summary.files,
        "n_recordings": summary.total.n,
        "n_labelled": summary.total.n_labelled,
        "mean_confidence": summary.total.mean_confidence,
        "duration_s": round(summary.total.duration_s, 3),
        **{by: rows(summary, by) for by in GROUPINGS},
        "speech": summary.speech_time.rows(summary.labels),
    }
    return json.dumps(everything, indent=2, allow_nan=False) + "\n"


def _figures(tally: Tally, n_all: int) -> dict[str, Value]:
    return {
        "n": tally.n,
        "share": _share(tally.n, n_all),
        "mean_confidence": tally.mean_confidence,
        "duration_s": round(tally.duration_s, 3),
    }


def _share(n: int, n_all: int) -> float | None:
    return round(n / n_all, 6) if n_all else None
