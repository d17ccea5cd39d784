"""Long recordings on the command line: speech, segments, channels, given segments, lists."""

import csv
import json

import numpy as np
import pytest
import soundfile
from support.sounds import sound

from serctl.cli import run

RATE_HZ = 16000


@pytest.fixture
def long_recording(tmp_path, make_signal):
    """Stereo: 34 s of speech, a little different from channel to channel, 12 s apart."""
    spoken = make_signal("speech", 34 * RATE_HZ, RATE_HZ)[:, 0]
    samples = np.zeros((48 * RATE_HZ, 2))
    samples[: len(spoken), 0] += spoken
    samples[14 * RATE_HZ :, 1] += 0.7 * spoken * np.linspace(0.2, 1, len(spoken))
    path = tmp_path / "long.wav"
    soundfile.write(path, samples * 0.8, RATE_HZ)
    return path


@pytest.fixture
def classify(tmp_path, tiny_folder, capsys):
    """Give a function that runs ``serctl classify`` and returns status and rows of the segments."""

    def classify(*arguments, output="r.csv", status=0):
        output = tmp_path / output
        options = ["-o", str(output), "--model", str(tiny_folder), "--overwrite"]
        assert run(["classify", *map(str, arguments), *options]) == status, capsys.readouterr().err
        return rows_of(output), rows_of(f"{output}.segments.csv")

    return classify


def rows_of(path):
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError:
        return None


def test_what_is_no_speech_has_no_emotion(classify, tmp_path, write_recording):
    paths = [write_recording("speech.wav", "speech", 1.5)]
    for name in ("music", "white noise"):
        paths.append(write_recording(f"{name}.wav", sound(name, 1, 2.0)))
    rows, segments = classify(*paths)
    assert [row["status"] for row in rows] == ["ok", "no_speech", "no_speech"]
    assert segments is None
    assert float(rows[0]["speech_s"]) > 1
    assert rows[1]["reason"].startswith(
        "No speech was found. To classify it all the same, use --spe"
    )
    assert (rows[1]["emotion"], rows[1]["p_angry"], rows[1]["windows"]) == ("", "", "0")
    all_rows, _ = classify(*paths, "--speech", "off", output="off.csv")
    assert [row["status"] for row in all_rows] == ["ok"] * 3
    assert [row["speech_s"] for row in all_rows] == [""] * 3
    # Speech that is shorter than a window is the same either way.
    same = {key: value for key, value in rows[0].items() if key != "speech_s"}
    assert same.items() <= all_rows[0].items()


def test_a_long_recording_has_segments(classify, long_recording, tmp_path):
    windows = tmp_path / "w.jsonl"
    rows, segments = classify(long_recording, "--windows-output", windows)
    assert (rows[0]["status"], rows[0]["channel"]) == ("ok", "")
    read = [json.loads(line) for line in windows.read_text().splitlines()]
    assert int(rows[0]["windows"]) == len(read) == 45
    assert [window["start_s"] for window in read] == list(range(45))
    assert {round(window["end_s"] - window["start_s"], 3) for window in read} == {4.0}
    assert segments
    assert float(segments[0]["start_s"]) < 1
    for row in segments:
        assert float(row["end_s"]) - float(row["start_s"]) >= 8
        assert row["confidence"] == row[f"p_{row['emotion']}"]
        assert sum(float(row[name]) for name in row if name.startswith("p_")) == pytest.approx(1)
    one = (tmp_path / "r.csv.segments.csv").read_bytes()
    _, again = classify(long_recording, "--workers", 1, output="one.csv")
    assert again == segments
    assert (tmp_path / "one.csv.segments.csv").read_bytes() == one
    # None are left of results that are replaced by others without segments.
    assert classify(long_recording, "--segments-output", "-")[1] is not None
    assert classify(long_recording, "--min-segment-s", 100)[1] is None


def test_it_says_which_channel_and_where_segments_are(
    classify, long_recording, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "300")
    classify(long_recording)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{tmp_path / 'r.csv'}: 1 recording, 1 labelled")
    assert lines[-1] == f"Segments of long recordings: {tmp_path / 'r.csv.segments.csv'}"
    assert not any("Channel" in line for line in lines)
    classify(long_recording, "--channels", "each", "--segments-output", "-", output="two.csv")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{tmp_path / 'two.csv'}: 1 recording with 2 channels, 2 labelled")
    assert not any("Segments" in line for line in lines)
    shown = [line.split() for line in lines if "long.wav" in line]
    assert [words[-4] for words in shown] == ["1", "2"]


def test_what_is_less_probable_is_uncertain(classify, long_recording, capsys, tmp_path):
    rows, segments = classify(long_recording, "--min-confidence", 1)
    assert {row["emotion"] for row in (*rows, *segments)} == {"uncertain"}
    assert (rows[0]["status"], len(rows[0]["p_sad"])) == ("ok", 8)
    capsys.readouterr()
    assert run(["report", str(tmp_path / "r.csv"), "--format", "csv"]) == 0
    assert "\nuncertain,1,1.0," in capsys.readouterr().out


def test_channels_have_rows_of_their_own(classify, long_recording, tmp_path):
    rows, segments = classify(long_recording, "--channels", "each", "--min-segment-s", 0)
    assert [(row["channel"], row["channels"], row["status"]) for row in rows] == [
        ("1", "2", "ok"),
        ("2", "2", "ok"),
    ]
    first, second = ([s for s in segments if s["channel"] == c] for c in "12")
    assert float(first[-1]["end_s"]) < 36
    assert float(second[0]["start_s"]) > 13
    alone, _ = classify(long_recording, "--channels", 2, output="two.csv")
    assert [row["channel"] for row in alone] == ["2"]
    assert alone[0]["emotion"] == rows[1]["emotion"]
    rows, _ = classify(long_recording, "--channels", 3, output="three.csv", status=1)
    assert rows[0]["reason"].startswith("Has 2 channels; channel 3 is needed")


def test_crosstalk_is_no_speech(classify, long_recording, tmp_path):
    samples, _ = soundfile.read(long_recording)
    mixed = np.stack([samples[:, 0], 0.05 * samples[:, 0]], axis=1)
    soundfile.write(tmp_path / "leak.wav", mixed, RATE_HZ)
    rows, _ = classify(tmp_path / "leak.wav", "--channels", "each")
    assert [row["status"] for row in rows] == ["ok", "no_speech"]


def test_given_segments_are_classified_as_they_are(classify, long_recording, tmp_path):
    given = tmp_path / "given.csv"
    given.write_text(
        "path,start,end,speaker,channel,text\n"
        "long.wav,1,2.5,Anna,1,so\nlong.wav,30,33,Ben,2,\nlong,5,6,,,unmatched\n"
        "long.wav,0,31,Anna,1,long\nlong.wav,100,101,Anna,1,beyond\n"
    )
    rows, segments = classify(long_recording, "--segments-from", given)
    assert [row["channel"] for row in rows] == ["1", "2"]
    found = [(s["start_s"], s["end_s"], s["speaker"], s["text"], s["channel"]) for s in segments]
    assert found == [
        ("0.000", "31.000", "Anna", "long", "1"),
        ("1.000", "2.500", "Anna", "so", "1"),
        ("100.000", "101.000", "Anna", "beyond", "1"),
        ("30.000", "33.000", "Ben", "", "2"),
    ]
    assert [bool(s["emotion"]) for s in segments] == [True, True, False, True]
    given.write_text("path,start,end\nother.wav,1,2\n")
    assert run(["classify", str(long_recording), "--segments-from", str(given)]) == 3


@pytest.mark.parametrize(
    "options",
    [
        ["--channels", "both"],
        ["--hop-s", "5"],
        ["--segment-formats", "srt"],
        ["--segment-formats", "doc", "--segments-dir", "x"],
        ["--tier", "a"],
        ["--segments-from", "gone.csv"],
        ["--segments-output", "r.txt"],
        ["--segments-output", "serctl-results.csv"],
    ],
)
def test_wrong_usage_is_refused(long_recording, tmp_path, monkeypatch, options):
    monkeypatch.chdir(tmp_path)
    assert run(["classify", str(long_recording), *options]) == 2


def test_lists_of_what_to_listen_to(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lines = ["path,channel,speaker,start_s,end_s,speech_s,emotion,confidence,p_angry,p_sad,text"]
    lines += ["a.wav,,,0,10,8,sad,0.9,0.1,0.9,", "a.wav,,,3605,3615.5,8,angry,0.6,0.6,0.4,"]
    lines += ["b.wav,2,,0,10,8,angry,0.8,0.8,0.2,"]
    (tmp_path / "serctl-results.csv.segments.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "serctl-results.csv").write_text("")
    assert run(["report", "--rank", "angry", "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "path,channel,peak,speech,share,mean_probability,highest,first",
        "b.wav,2,0.213,00:08,1.0,0.8,0.8,00:00",
        "a.wav,,0.187,00:08,0.5,0.35,0.6,1:00:05",
    ]
    assert run(["report", "--rank", "angry"]) == 0
    printed = capsys.readouterr()
    assert ["Mean", "Highest", "First"] == printed.out.splitlines()[2].split()[-3:]
    assert "Peak: mean probability of angry in the 30 s of speech" in printed.err
    assert run(["report", "--moments", "2", "--emotion", "angry", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(moment["path"], moment["start"]) for moment in found] == [
        ("b.wav", "00:00"),
        ("a.wav", "1:00:05"),
    ]
    assert run(["report", "--moments", "1"]) == 0
    printed = capsys.readouterr()
    assert "a.wav" in printed.out
    assert "no evidence" in printed.err
    assert run(["report", "--rank", "bored"]) == 2
    assert "bored: not an emotion of these segments" in capsys.readouterr().err
