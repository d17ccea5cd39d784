"""The results schema: the result of one recording, and the columns of a results file.

The order of the columns is fixed and versioned. `result_of` reads the rows of `row_of`:
probabilities are rounded to 6 decimals and durations to 3. A value that does not fit its column is
a ResultsError with the line, what was found and what was expected.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from serctl.errors import ResultsError
from serctl.text import printable

SCHEMA_VERSION = 3
STATUSES = ("ok", "silent", "no_speech", "too_short", "unreadable", "failed")

LEADING = ("path", "status", "reason", "emotion", "confidence")
# What each version has at the end; a later one has the columns of those before it, too.
TRAILING_OF_VERSIONS = (
    ("duration_s", "sample_rate_hz", "channels", "windows"),
    ("speech_s", "channel"),
    ("voice", "voice_n"),
)
TRAILING = tuple(name for names in TRAILING_OF_VERSIONS for name in names)
PROBABILITY = "p_"
UNCERTAIN = "uncertain"  # in place of an emotion below ``--min-confidence``

PROBABILITY_DECIMALS = 6
DURATION_DECIMALS = 3
LONGEST_S = 1e9  # thirty years; what is longer is no recording

EXTENSIONS = (".csv", ".jsonl", ".json")
JOURNAL = ".journal"
# Of a row on its way from the worker, through the journal: packed segments and windows, the rows of
# the recording's other channels, and its embedding.
SEGMENTS_KEY, WINDOWS_KEY, CHANNELS_KEY = "segments", "window_list", "channel_rows"
EMBEDDING_KEY = "embedding"

REMAKE = (
    "Was it written by another version of serctl, or edited? Create it again with serctl classify."
)


Cell = str | float | int | None


@dataclass(frozen=True, slots=True)
class Result:
    """Result of one recording.

    Parameters
    ----------
    path : str
        The argument as given, joined with the path below it.
    status : str
        One of `STATUSES`.
    reason : str
        Why the status is not ``ok``, in words.
    emotion : str
        The most probable emotion, or `UNCERTAIN`; empty unless the status is ``ok``.
    confidence : float or None
        Its probability, in [0, 1].
    probabilities : tuple of float
        In [0, 1], in the order of the file's emotions; empty unless the status is ``ok``.
    duration_s : float or None
        Length in seconds.
    sample_rate_hz : int or None
        As in the file, before resampling.
    channels : int or None
        As in the file, before downmixing.
    windows : int
        Number of windows; the probabilities are their mean.
    speech_s : float or None
        Seconds of speech; None without speech detection.
    channel : int or None
        Channel of the file, counted from 1; None for the mean of all channels.
    voice : str
        Whose recording it is; empty if it was classified alone.
    voice_n : int or None
        Recordings of this voice that were classified together, with this one; None if it was
        classified alone, or has no emotion.
    extra : tuple of pairs
        Name and cell of columns that were added to the file.
    """

    path: str
    status: str
    reason: str = ""
    emotion: str = ""
    confidence: float | None = None
    probabilities: tuple[float, ...] = ()
    duration_s: float | None = None
    sample_rate_hz: int | None = None
    channels: int | None = None
    windows: int = 0
    speech_s: float | None = None
    channel: int | None = None
    voice: str = ""
    voice_n: int | None = None
    extra: tuple[tuple[str, Cell], ...] = ()

    def labelled(
        self, probabilities: Sequence[float], emotions: Sequence[str], min_confidence: float = 0.0
    ) -> "Result":
        """Give this result probabilities of ``emotions``, in [0, 1], and what follows from them.

        An emotion whose probability, as it is written, is below ``min_confidence`` is `UNCERTAIN`.
        """
        best = max(range(len(emotions)), key=probabilities.__getitem__)
        confidence = probabilities[best]
        is_certain = round(confidence, PROBABILITY_DECIMALS) >= min_confidence
        emotion = emotions[best] if is_certain else UNCERTAIN
        shares = tuple(probabilities)
        return replace(self, emotion=emotion, confidence=confidence, probabilities=shares)


def columns(emotions: Sequence[str], version: int = SCHEMA_VERSION) -> tuple[str, ...]:
    """Columns of a results file, in their fixed order, for the emotions of a model."""
    trailing = (name for names in TRAILING_OF_VERSIONS[:version] for name in names)
    return (*LEADING, *(PROBABILITY + emotion for emotion in emotions), *trailing)


def row_of(result: Result, emotions: Sequence[str]) -> dict[str, Cell]:
    """Row of one result, in the order of `columns`.

    Parameters
    ----------
    result : Result
        With probabilities in the order of ``emotions``, or without any.
    emotions : sequence of str
        Emotions of the file.

    Returns
    -------
    dict
        From column to text, rounded number, or None if there is no value.

    Raises
    ------
    ValueError
        If the result does not fit the schema: an error of the calling code, not of the user.
    """
    probabilities: Sequence[float | None] = result.probabilities or (None,) * len(emotions)
    if len(probabilities) != len(emotions):
        raise ValueError(
            f"{len(probabilities)} probabilities for {len(emotions)} emotions: {result}"
        )
    numbers = (result.confidence, result.duration_s, result.speech_s, *probabilities)
    if not all(number is None or math.isfinite(number) for number in numbers):
        raise ValueError(f"a number that is not finite: {result}")
    if result.status not in STATUSES or (
        result.emotion and result.emotion not in (*emotions, UNCERTAIN)
    ):
        raise ValueError(f"an unknown status or emotion: {result}")
    cells: tuple[Cell, ...] = (
        result.path,
        result.status,
        result.reason,
        result.emotion,
        _rounded(result.confidence, PROBABILITY_DECIMALS),
        *(_rounded(probability, PROBABILITY_DECIMALS) for probability in probabilities),
        _rounded(result.duration_s, DURATION_DECIMALS),
        result.sample_rate_hz,
        result.channels,
        result.windows,
        _rounded(result.speech_s, DURATION_DECIMALS),
        result.channel,
        result.voice,
        result.voice_n,
    )
    return dict(zip(columns(emotions), cells, strict=True))


def emotions_of(header: Sequence[str], where: str) -> tuple[str, ...]:
    """Emotions of a file: its columns ``p_<emotion>`` after ``confidence``; others may be added.

    Parameters
    ----------
    header : sequence of str
        Column names of the file.
    where : str
        File and place in it, for the error message.

    Raises
    ------
    ResultsError
        If they are not those of a results file.
    """
    after = list(header)[header.index("confidence") + 1 :] if "confidence" in header else []
    shares = takewhile(lambda name: name.startswith(PROBABILITY), after)
    emotions = tuple(name.removeprefix(PROBABILITY) for name in shares)
    known = tuple(name for name in header if name in columns(emotions))
    versions = [columns(emotions, version) for version in range(1, SCHEMA_VERSION + 1)]
    is_twice = len(set(header)) < len(header)
    if not emotions or not all(emotions) or is_twice or known not in versions:
        missing = [name for name in versions[0] if name not in header]
        missing += [] if emotions else ["p_<emotion>"]
        what = (
            f"without {', '.join(missing)}" if missing else f"found {printable(', '.join(header))}"
        )
        raise ResultsError(
            f"{where}: not the columns of serctl results: {what}; expected, in this order, "
            f"{', '.join(LEADING)}, p_<emotion> ..., {', '.join(TRAILING)}. {REMAKE}"
        )
    return emotions


def result_of(row: Mapping[str, object], emotions: Sequence[str], where: str) -> Result:
    """Read the result in a row.

    Parameters
    ----------
    row : mapping
        From every column to text (CSV), or to text, number or None (JSON). The columns that
        versions after the first added may be absent.
    emotions : sequence of str
        Emotions of the file.
    where : str
        File and line, for the error message.

    Raises
    ------
    ResultsError
        If a value does not fit its column.
    """
    status = _text(row, "status", where)
    if status not in STATUSES:
        raise _wrong(where, "status", status, f"one of {', '.join(STATUSES)}")
    emotion = _text(row, "emotion", where)
    if emotion not in (*emotions, UNCERTAIN) and (emotion or status == "ok"):
        raise _wrong(where, "emotion", emotion, f"one of {', '.join(emotions)}")
    named = ["confidence", *(PROBABILITY + name for name in emotions)]
    shares = [_number(row, column, where, upper=1.0) for column in named]
    found = [share for share in shares if share is not None]
    if len(found) < len(shares) and (found or status == "ok"):
        raise _wrong(where, named[shares.index(None)], "", "a number from 0 to 1")
    windows = _whole(row, "windows", where)
    return Result(
        path=_text(row, "path", where),
        status=status,
        reason=_text(row, "reason", where),
        emotion=emotion,
        confidence=shares[0],
        probabilities=tuple(found[1:]),
        duration_s=_number(row, "duration_s", where, LONGEST_S),
        sample_rate_hz=_whole(row, "sample_rate_hz", where),
        channels=_whole(row, "channels", where),
        windows=0 if windows is None else windows,
        speech_s=_number(row, "speech_s", where) if "speech_s" in row else None,
        channel=_whole(row, "channel", where) if "channel" in row else None,
        voice=_text(row, "voice", where) if "voice" in row else "",
        voice_n=_whole(row, "voice_n", where) if "voice_n" in row else None,
    )


def _rounded(number: float | None, decimals: int) -> float | None:
    return None if number is None else round(float(number), decimals)


def _text(row: Mapping[str, object], column: str, where: str) -> str:
    value = row[column]
    if not isinstance(value, str):
        raise _wrong(where, column, value, "text")
    return value


def _number(
    row: Mapping[str, object], column: str, where: str, upper: float = math.inf
) -> float | None:
    value = row[column]
    if value is None or value == "":
        return None
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not (0 <= number <= upper and math.isfinite(number)):
        expected = "a number of at least 0"
        if upper < math.inf:
            expected = f"a number from 0 to {upper:.10g}"
        raise _wrong(where, column, value, expected)
    return number


def _whole(row: Mapping[str, object], column: str, where: str) -> int | None:
    number = _number(row, column, where)
    if number is None:
        return None
    # "16000.0" is valid: pandas writes integers so in columns with missing values.
    if not number.is_integer():
        raise _wrong(where, column, row[column], "a whole number")
    return int(number)


def _wrong(where: str, column: str, found: object, expected: str) -> ResultsError:
    return ResultsError(
        f"{where}: column {column} holds {found!r}; {expected} was expected. {REMAKE}"
    )
