"""Summaries of results: by emotion, by folder and by status.

Results are read row by row and only counts are kept, so that a file of any length needs little
memory. The rows of several files are added, and so are their emotions. A file that is no valid
results file raises an error; there is no summary of a part.

All formats are made from the same tidy rows. Shares are in [0, 1]: of the labelled recordings by
emotion, and of all recordings otherwise. Durations are in seconds:

- by emotion: ``emotion, n, share, mean_confidence, duration_s``
- by folder, or anything else (`serctl.results.grouping`): ``folder, n, share, mean_confidence,
  duration_s, most_frequent, n_<emotion> ...``; of equally frequent emotions, the first
- by status: ``status, reason, n, share, duration_s, example``, one row per
  reason; reasons that differ only in numbers are one, with ``...`` for the numbers

Where a recording has a row for each channel, it counts once, in the total and in groups, which then
have ``n_channels`` after ``n``. An emotion or a status is that of a channel, so that ``n`` of emotions
and statuses, and ``n_<emotion>``, are channels.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from serctl.emotions import EMOTIONS
from serctl.errors import NothingFoundError
from serctl.results.grouping import BUILT_IN, Grouping, Tally, parse_grouping
from serctl.results.reader import column_names, read_results
from serctl.results.schema import STATUSES, UNCERTAIN, Result
from serctl.results.speech_time import SpeechTime, speech_time

GROUPINGS = BUILT_IN
N_EXAMPLES = 3  # paths per reason
MOST_REASONS = 1000  # that are kept, the most frequent; the others of a status are counted as one
OTHER_REASONS = "other reasons"

NUMBER = re.compile(r"\d+(?:\.\d+)?")
ANY_NUMBER = "..."
Value = str | float | int | None


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
    grouping : Grouping, optional
        What recordings are grouped by besides; those without a group have an empty name.
    by_group : dict
        Counts of its groups.
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
    grouping: Grouping | None = None
    by_group: dict[str, Tally] = field(default_factory=dict)

    @property
    def has_channels(self) -> bool:
        """Whether recordings have a row for each channel."""
        return self.total.n_rows > self.total.n

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions, and `serctl.results.schema.UNCERTAIN` if a recording is."""
        return (*self.emotions, *((UNCERTAIN,) if UNCERTAIN in self.by_emotion else ()))

    def add(self, result: Result) -> None:
        """Add the result of one recording."""
        self.total.add(result, once=True)
        _add(self.by_folder, os.path.dirname(result.path) or ".", result, once=True)
        _add(self.by_status, result.status, result)
        if self.grouping:
            _add(self.by_group, self.grouping.group_of(result), result, once=True)
        if result.status == "ok":
            _add(self.by_emotion, result.emotion, result)
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


def summarize(files: Sequence[str | os.PathLike[str]], by: str | None = None) -> Summary:
    """Summarize results files. Of rows that are the same, one is counted.

    Parameters
    ----------
    files : sequence of str or path
        Paths, as of `serctl.results.reader.read_results`.
    by : str, optional
        What recordings are grouped by, as `serctl.results.grouping.parse_grouping` takes it.

    Raises
    ------
    PathError, UsageError, ResultsError
        As `serctl.results.reader.read_results`; UsageError if there is nothing to group by.
    NothingFoundError
        If no file has a row.
    """
    summary, results = open_summary(files, by)
    for _ in results:
        pass
    return summary


def open_summary(
    files: Sequence[str | os.PathLike[str]], by: str | None = None
) -> tuple[Summary, Iterator[tuple[Result, tuple[str, ...]]]]:
    """Summary of results files, and the results; each is counted when it is read.

    As `summarize`; a result comes with the emotions of its probabilities.
    """
    names = tuple(os.fspath(path) for path in files)
    opened = [read_results(name) for name in names]
    grouping = parse_grouping(by, [name for file in names for name in column_names(file)])
    found = list(dict.fromkeys(emotion for emotions, _ in opened for emotion in emotions))
    known = [emotion for emotion in EMOTIONS if emotion in found]
    others = [emotion for emotion in found if emotion not in EMOTIONS]
    summary = Summary(names, (*known, *others), grouping=grouping)

    def counted() -> Iterator[tuple[Result, tuple[str, ...]]]:
        seen: set[int] = set()  # hashes alone, since there may be millions of rows
        for emotions, results in opened:
            for result in results:
                if (key := hash(result)) in seen:
                    summary.n_duplicates += 1
                    continue
                seen.add(key)
                summary.add(result)
                yield result, emotions
        if not summary.total.n:
            raise NothingFoundError(
                f"{', '.join(names)}: no rows; a row for every recording was expected. Create the "
                "results again with serctl classify."
            )
        summary.speech_time = speech_time(names)

    return summary, counted()


def rows(summary: Summary, by: str) -> list[dict[str, Value]]:
    """Tidy rows of a summary.

    Parameters
    ----------
    summary : Summary
        Of results files.
    by : str
        One of `GROUPINGS`, or the name of the summary's own grouping.

    Returns
    -------
    list of dict
        With the columns in the docstring of this module. Every emotion has a row; folders are sorted.
    """
    if by == "emotion":
        return [
            {"emotion": emotion, **_figures(tally, summary.total.n_labelled)}
            for emotion in summary.labels
            for tally in [summary.by_emotion.get(emotion, Tally())]
        ]
    if by != "status":
        return [
            {
                by: group,
                **_figures(tally, summary.total.n, summary.has_channels),
                "most_frequent": max(summary.labels, key=tally.emotions.__getitem__)
                if tally.n_labelled
                else "",
                **{f"n_{emotion}": tally.emotions[emotion] for emotion in summary.labels},
            }
            for group, tally in sorted(
                (summary.by_folder if by == "folder" else summary.by_group).items()
            )
        ]
    return [
        {
            "status": reason.status,
            "reason": reason.text,
            "n": reason.tally.n,
            "share": _share(reason.tally.n, summary.total.n_rows),
            "duration_s": round(reason.tally.duration_s, 3),
            "example": reason.examples[0],
        }
        for reason in summary.ordered_reasons()
    ]


def _add(tallies: dict[str, Tally], group: str, result: Result, once: bool = False) -> None:
    if group not in tallies:
        tallies[group] = Tally()
    tallies[group].add(result, once)


def _figures(tally: Tally, n_all: int, with_channels: bool = False) -> dict[str, Value]:
    return {
        "n": tally.n,
        **({"n_channels": tally.n_rows} if with_channels else {}),
        "share": _share(tally.n, n_all),
        "mean_confidence": tally.mean_confidence,
        "duration_s": round(tally.duration_s, 3),
    }


def _share(n: int, n_all: int) -> float | None:
    return round(n / n_all, 6) if n_all else None
