"""Summaries of ``classify --channels each``: a recording counts once, and its channels beside it."""

import json
from dataclasses import replace

import pytest

from serctl.cli import run
from serctl.reports.words import opening
from serctl.results.schema import Result
from serctl.results.summary import rows, summarize
from serctl.results.summary_text import headline, markdown_text
from serctl.results.writer import ResultsWriter

CALL = Result("calls/a.wav", "ok", duration_s=60.0, sample_rate_hz=8000, channels=2, windows=3)
EMOTIONS = ("angry", "sad")


def channel(path, number, shares, **others):
    one = replace(CALL, path=path, channel=number, speech_s=10.0, **others)
    return one.labelled(shares, EMOTIONS) if shares else one


CALLS = (
    channel("calls/a.wav", 1, (0.9, 0.1)),
    channel("calls/a.wav", 2, (0.2, 0.8)),
    channel("calls/b.wav", 1, (0.7, 0.3)),
    channel("calls/b.wav", 2, None, status="silent", reason="No sample."),
    replace(CALL, path="other/c.wav", status="unreadable", reason="No audio.", duration_s=None),
)


@pytest.fixture
def write(tmp_path):
    def write(results, name="r.csv"):
        with ResultsWriter(tmp_path / name, EMOTIONS) as writer:
            for result in results:
                writer.write(result)
        return str(tmp_path / name)

    return write


@pytest.mark.parametrize("order", [CALLS, CALLS[::-1], CALLS[::2] + CALLS[1::2]])
def test_a_recording_counts_once_in_any_order(write, order):
    summary = summarize([write(order)])
    assert (summary.total.n, summary.total.n_rows, summary.total.n_labelled) == (3, 5, 3)
    assert (summary.total.duration_s, summary.total.speech_s) == (120.0, 40.0)
    calls, other = rows(summary, "folder")
    assert (calls["n"], calls["n_channels"], calls["share"]) == (2, 4, round(2 / 3, 6))
    assert (calls["duration_s"], calls["n_angry"], calls["n_sad"]) == (120.0, 2, 1)
    assert (other["n"], other["n_channels"]) == (1, 1)


def test_emotions_and_statuses_are_those_of_channels(write):
    summary = summarize([write(CALLS)])
    assert [(row["n"], row["share"]) for row in rows(summary, "emotion")] == [
        (2, round(2 / 3, 6)),
        (1, round(1 / 3, 6)),
    ]
    assert [(row["status"], row["n"], row["share"]) for row in rows(summary, "status")] == [
        ("ok", 3, 0.6),
        ("silent", 1, 0.2),
        ("unreadable", 1, 0.2),
    ]


def test_texts_say_what_they_count(write):
    summary = summarize([write(CALLS)])
    assert "3 recordings with 5 channels, 3 labelled, 0:02:00 of audio" in headline(summary)
    text = markdown_text(summary)
    assert "| Emotion | Channels |" in text
    assert "| Status | Channels |" in text
    assert "silent, 1 channel: No sample." in text
    assert "| Folder | Recordings | Channels |" in markdown_text(summary, "folder")
    first, second, *_ = opening(summary)
    assert first.startswith("3 recordings with 5 channels in 2 folders, 2 min of audio")
    assert second.startswith("3 channels have an emotion: most often angry (67%)")
    assert opening(summary)[-1] == "2 channels have none: 1 silent and 1 unreadable."


def test_a_row_a_recording_is_counted_as_ever(write):
    mono = [replace(one, path=f"{i}.wav", channel=None) for i, one in enumerate(CALLS[:3])]
    summary = summarize([write(mono)])
    assert not summary.has_channels
    assert "hannel" not in markdown_text(summary) + markdown_text(summary, "folder")
    assert "n_channels" not in rows(summary, "folder")[0]


def test_the_same_recording_in_two_runs_is_two(write):
    later = [replace(one, confidence=0.55) for one in CALLS[:2]]
    summary = summarize([write(CALLS[:2]), write(later, "later.csv")])
    assert (summary.total.n, summary.total.n_rows) == (2, 4)


def test_json_has_both(write, capsys):
    assert run(["report", write(CALLS), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n_recordings"], found["n_channels"], found["n_labelled"]) == (3, 5, 3)
