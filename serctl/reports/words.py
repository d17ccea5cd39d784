"""The opening summary of a report, in words: how many, how long, what stands out, what failed."""

import math
from collections.abc import Mapping

from serctl.results.grouping import Tally
from serctl.results.schema import UNCERTAIN
from serctl.results.summary import Summary
from serctl.text import count, printable

# A group stands out if its share of an emotion is this many standard errors above that of all. With
# a thousand groups, chance alone gives one such in thirty reports.
STANDARD_ERRORS = 4.0
LEAST_EXPECTED = 5.0  # recordings, on both sides; with fewer, the error has another distribution
N_STANDING_OUT = 3

STATUS_WORDS = {
    "silent": "silent",
    "no_speech": "without speech",
    "too_short": "too short",
    "unreadable": "unreadable",
    "failed": "failed",
}


def opening(summary: Summary) -> list[str]:
    """Sentences that open a report.

    Parameters
    ----------
    summary : Summary
        Of any results.

    Returns
    -------
    list of str
        Paragraphs of plain text; names of files in it are safe to print.
    """
    found = [_size(summary), _emotions(summary), *_standing_out(summary), _without(summary)]
    if damaged := sum(
        reason.tally.n
        for reason in summary.ordered_reasons()
        if reason.status == "ok" and reason.text
    ):
        are = "recording is damaged or ends" if damaged == 1 else "recordings are damaged or end"
        found.append(f"{damaged:,} labelled {are} early: see the reasons.")
    if summary.n_duplicates:
        found.append(f"{count(summary.n_duplicates, 'duplicate row')} not counted.")
    return [sentence for sentence in found if sentence]


def duration(seconds: float) -> str:
    """Duration in words: ``25 h 3 min``, ``12 min``, ``4 s``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"


def _size(summary: Summary) -> str:
    total = summary.total
    text = f"{total.n:,} {'recording' if total.n == 1 else 'recordings'}"
    if summary.has_channels:
        text += f" with {total.n_rows:,} channels"
    if len(summary.by_folder) > 1:
        text += f" in {len(summary.by_folder):,} folders"
    text += f", {duration(total.duration_s)} of audio"
    if total.speech_s:
        text += f", {duration(total.speech_s)} of it speech"
    return text + "."


def _emotions(summary: Summary) -> str:
    n_labelled = summary.total.n_labelled
    if not n_labelled:
        return "None has an emotion."
    ordered = sorted(summary.by_emotion.items(), key=lambda item: -item[1].n)
    shares = [f"{printable(name)} ({tally.n / n_labelled:.0%})" for name, tally in ordered]
    mean = summary.total.mean_confidence or 0.0
    most = f"most often {shares[0]}"
    if len(shares) > 1:
        most += f", then {_listed(shares[1:3])}"
    has = "has" if n_labelled == 1 else "have"
    counted = _counted(n_labelled, summary)
    text = f"{counted} {has} an emotion: {most}. The mean confidence is {mean:.0%}."
    if uncertain := summary.by_emotion.get(UNCERTAIN):
        text += f" {uncertain.n:,} are less probable than was asked for, so uncertain."
    return text


def _standing_out(summary: Summary) -> list[str]:
    """Groups with more of an emotion than chance explains, the clearest first."""
    name = summary.grouping.name if summary.grouping else "folder"
    groups = summary.by_group if summary.grouping else summary.by_folder
    total = summary.total
    found = []
    for emotion, of_all in summary.by_emotion.items():
        for group, tally in groups.items() if emotion != UNCERTAIN else ():
            if (excess := _standard_errors(tally, emotion, of_all.n, total.n_labelled)) is None:
                continue
            if excess >= STANDARD_ERRORS:
                share = tally.emotions[emotion] / tally.n_labelled
                found.append((excess, group, emotion, share, of_all.n / total.n_labelled))
    found.sort(key=lambda one: -one[0])
    return [
        f"{_capital(printable(name))} {printable(group) or 'without a name'} stands out: {share:.0%} "
        f"{printable(emotion)}, and {of_all:.0%} of all are."
        for _, group, emotion, share, of_all in found[:N_STANDING_OUT]
    ]


def _standard_errors(tally: Tally, emotion: str, n_emotion: int, n_all: int) -> float | None:
    """How many standard errors a group's share is above that of the other recordings."""
    n, n_others = tally.n_labelled, n_all - tally.n_labelled
    if not n or not n_others:
        return None
    share = n_emotion / n_all
    if min(n, n_others) * min(share, 1 - share) < LEAST_EXPECTED:
        return None
    error = math.sqrt(share * (1 - share) * (1 / n + 1 / n_others))
    k = tally.emotions[emotion]
    return (k / n - (n_emotion - k) / n_others) / error


def _without(summary: Summary) -> str:
    tallies: Mapping[str, Tally] = summary.by_status
    kinds = [
        f"{tallies[status].n:,} {words}"
        for status, words in STATUS_WORDS.items()
        if status in tallies
    ]
    n_without = summary.total.n_rows - summary.total.n_labelled
    if not n_without:
        return "Every recording was read and has an emotion."
    has = "has" if n_without == 1 else "have"
    return f"{_counted(n_without, summary)} {has} none: {_listed(kinds)}."


def _counted(n: int, summary: Summary) -> str:
    """Number of rows, with what they are where they are not recordings."""
    if not summary.has_channels:
        return f"{n:,}"
    return f"{n:,} {'channel' if n == 1 else 'channels'}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
