from serctl.reports.words import duration, opening
from serctl.results.grouping import parse_grouping
from serctl.results.schema import Result
from serctl.results.summary import Summary

EMOTIONS = ("angry", "sad")


def labelled(path, emotion, duration_s=60.0, speech_s=None):
    shares = (0.75, 0.25) if emotion == "angry" else (0.25, 0.75)
    return Result(path, "ok", "", emotion, 0.75, shares, duration_s, 16000, 1, 1, speech_s)


def summary_of(results, by=None):
    summary = Summary(("r.csv",), EMOTIONS, grouping=parse_grouping(by, ()))
    for result in results:
        summary.add(result)
    return summary


def test_it_says_how_many_how_long_and_which_emotions():
    found = [labelled("a/1.wav", "sad", 3600, 1800.0), labelled("b/2.wav", "sad", 7380, 600.0)]
    found += [labelled("b/3.wav", "angry", 60, 60.0)]
    assert opening(summary_of(found)) == [
        "3 recordings in 2 folders, 3 h 4 min of audio, 41 min of it speech.",
        "3 have an emotion: most often sad (67%), then angry (33%). The mean confidence is 75%.",
        "Every recording was read and has an emotion.",
    ]


def test_it_says_what_failed_and_what_is_damaged():
    found = [Result("a.wav", "unreadable", "0 bytes."), Result("b.wav", "no_speech", "none")]
    assert opening(summary_of(found))[1:] == [
        "None has an emotion.",
        "2 have none: 1 without speech and 1 unreadable.",
    ]
    damaged = Result("c.wav", "ok", "truncated", "sad", 0.75, (0.25, 0.75), 1.0, 16000, 1, 1)
    assert opening(summary_of([damaged]))[-1] == (
        "1 labelled recording is damaged or ends early: see the reasons."
    )


def test_a_group_stands_out_only_if_chance_does_not_explain_it():
    plain = [labelled(f"day{i % 5}/{i}.wav", "angry" if i % 4 == 0 else "sad") for i in range(400)]
    assert not any("stands out" in text for text in opening(summary_of(plain)))
    loud = [labelled(f"calls/ann/{i}.wav", "angry" if i % 5 else "sad") for i in range(50)]
    (text,) = [
        text
        for text in opening(summary_of([*plain, *loud], "calls/(?P<agent>[^/]+)/"))
        if "angry, and" in text
    ]
    assert text == "Agent ann stands out: 80% angry, and 31% of all are."


def test_two_recordings_are_no_group_that_stands_out():
    few = [labelled(f"a/{i}.wav", "angry") for i in range(2)]
    many = [labelled(f"b/{i}.wav", "sad") for i in range(100)]
    assert not any("stands out" in text for text in opening(summary_of([*few, *many])))


def test_durations_in_words():
    assert [duration(s) for s in (4.2, 60, 3599, 3600 * 30)] == [
        "4 s",
        "1 min",
        "1 h 0 min",
        "30 h 0 min",
    ]
