import csv
import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serctl.cli import run
from serctl.cli.terminal.tables import bar
from serctl.errors import ResultsError
from serctl.results import summary as summary_module
from serctl.results.schema import Result
from serctl.results.summary import Summary, rows, summarize
from serctl.results.summary_text import clock
from serctl.results.writer import ResultsWriter
from serctl.text import printable

FIVE = ("angry", "disgust", "fear", "happy", "sad")


def labelled(path, emotion, confidence, duration_s, emotions=FIVE):
    rest = (1 - confidence) / (len(emotions) - 1)
    probabilities = tuple(confidence if name == emotion else rest for name in emotions)
    return Result(path, "ok", "", emotion, confidence, probabilities, duration_s, 16000, 1, 1)


def unreadable(path, reason="0 bytes. The file is empty; copy or export it again."):
    return Result(path, "unreadable", reason)


RESULTS = (
    labelled("r/calls/a.wav", "sad", 0.9, 3600.0),
    labelled("r/calls/b.wav", "sad", 0.5, 2.0),
    labelled("r/calls/c.wav", "angry", 0.6, 1.5),
    labelled("r/talks/d.wav", "happy", 0.8, 10.0),
    Result("r/talks/e.wav", "too_short", "0.020 s; at least 0.1 s are needed.", duration_s=0.02),
    Result("r/talks/f.wav", "too_short", "0.050 s; at least 0.1 s are needed.", duration_s=0.05),
    unreadable("r/talks/g.wav"),
    unreadable("h.m4a", "Format not recognised. Convert it: ffmpeg -i NAME.m4a NAME.wav"),
)


def write(path, results, emotions=FIVE):
    with ResultsWriter(str(path), emotions) as writer:
        for result in results:
            writer.write(result)
    return str(path)


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return write("serctl-results.csv", RESULTS)


def output(capsys, *arguments):
    assert run(["report", *arguments]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def tidy(capsys, *arguments):
    return list(csv.DictReader(io.StringIO(output(capsys, "--format", "csv", *arguments))))


def test_csv_by_emotion_is_the_default_grouping(results, capsys):
    expected = (
        "emotion,n,share,mean_confidence,duration_s\n"
        "angry,1,0.25,0.6,1.5\n"
        "disgust,0,0.0,,0.0\n"
        "fear,0,0.0,,0.0\n"
        "happy,1,0.25,0.8,10.0\n"
        "sad,2,0.5,0.7,3602.0\n"
    )
    assert output(capsys, "--format", "csv") == expected
    assert output(capsys, "--format", "csv", "--by", "emotion", results) == expected


def test_csv_by_folder(results, capsys):
    assert output(capsys, "--format", "csv", "--by", "folder") == (
        "folder,n,share,mean_confidence,duration_s,most_frequent,"
        "n_angry,n_disgust,n_fear,n_happy,n_sad\n"
        ".,1,0.125,,0.0,,0,0,0,0,0\n"
        "r/calls,3,0.375,0.666667,3603.5,sad,1,0,0,0,2\n"
        "r/talks,4,0.5,0.8,10.07,happy,0,0,0,1,0\n"
    )


def test_csv_by_status_has_a_row_for_every_reason(results, capsys):
    found = tidy(capsys, "--by", "status")
    assert list(found[0]) == ["status", "reason", "n", "share", "duration_s", "example"]
    assert [(row["status"], row["n"], row["example"]) for row in found] == [
        ("ok", "4", "r/calls/a.wav"),
        ("too_short", "2", "r/talks/e.wav"),
        ("unreadable", "1", "r/talks/g.wav"),
        ("unreadable", "1", "h.m4a"),
    ]
    assert found[0]["reason"] == ""
    # What differs in a number only is one reason; the number that does not differ stays.
    assert found[1]["reason"] == "... s; at least 0.1 s are needed."
    assert found[1]["duration_s"] == "0.07"


def test_json_holds_everything(results, capsys):
    found = json.loads(output(capsys, "--format", "json"))
    assert found["files"] == ["serctl-results.csv"]
    assert (found["n_recordings"], found["n_labelled"]) == (8, 4)
    assert found["mean_confidence"] == 0.7
    assert found["duration_s"] == 3613.57
    assert found["emotion"][4] == {
        "emotion": "sad",
        "n": 2,
        "share": 0.5,
        "mean_confidence": 0.7,
        "duration_s": 3602.0,
    }
    assert found["emotion"][1]["mean_confidence"] is None
    assert [row["folder"] for row in found["folder"]] == [".", "r/calls", "r/talks"]
    assert [row["n"] for row in found["status"]] == [4, 2, 1, 1]


def cells(text):
    """Words of each line, but for the bars."""
    return [re.sub("[\u2588-\u258f]", "", line).split() for line in text.splitlines()]


def test_table_shows_emotions_and_statuses(results, capsys):
    text = output(capsys)
    lines = cells(text)
    assert text.startswith("serctl-results.csv: 8 recordings, 4 labelled, 1:00:14 of audio\n")
    assert ["Emotion", "Recordings", "Share", "Confidence", "Duration"] in lines
    assert ["sad", "2", "50.0%", "0.700", "1:00:02"] in lines
    assert ["fear", "0", "0.0%", "-", "0:00:00"] in lines
    assert ["all", "labelled", "4", "100.0%", "0.700", "1:00:14"] in lines
    assert ["too_short", "2", "25.0%", "0:00:00"] in lines
    assert "too_short, 2 recordings: ... s; at least 0.1 s are needed.\n  r/talks/e.wav\n" in text
    assert "unreadable, 1 recording: 0 bytes." in text
    assert "folder" not in text.lower()


def test_bars_are_as_long_as_their_shares(results, capsys):
    lines = output(capsys).splitlines()
    bars = {line.split()[0]: line.count("\u2588") for line in lines if "%" in line}
    assert (bars["sad"], bars["angry"], bars["fear"], bars["all"]) == (6, 3, 0, 0)
    assert [bar(share, "utf-8") for share in (0, 1 / 96, 1)] == ["", "\u258f", "\u2588" * 12]
    assert bar(0.5, "ascii") == "######"


def test_table_by_folder(results, capsys):
    text = output(capsys, "--by", "folder")
    assert ["r/calls", "3", "37.5%", "0.667", "1:00:04", "sad"] in cells(text)
    assert ["r/calls", "1", "0", "0", "0", "2"] in cells(text)
    assert [".", "1", "12.5%", "-", "0:00:00", "-"] in cells(text)
    assert "unreadable" not in text


@pytest.mark.parametrize("by", ["emotion", "folder", "status"])
@pytest.mark.parametrize("width", [0, 20, 40])
def test_on_a_narrow_terminal_rows_have_their_names(results, monkeypatch, capsys, width, by):
    monkeypatch.setenv("COLUMNS", str(width))
    text = output(capsys, "--by", by)
    name = {"emotion": "angry", "folder": "r/calls", "status": "unreadable"}[by]
    row = next(row for row in cells(text) if row[:1] == [name])
    assert all(re.fullmatch(r"[\w.%:/-]+", cell) for cell in row)  # none is cut
    assert not text.count("\u2026")


def test_markdown(results, capsys):
    text = output(capsys, "--format", "markdown")
    assert "## By emotion\n\n| Emotion | Recordings | Share | Confidence | Duration |\n" in text
    assert "| --- | ---: | ---: | ---: | ---: |\n| angry | 1 | 25.0% | 0.600 | 0:00:02 |\n" in text
    assert "- unreadable, 1 recording: 0 bytes." in text
    text = output(capsys, "--format", "markdown", "--by", "status")
    assert "| unreadable | 2 | 25.0% | 0:00:00 |" in text
    assert "By emotion" not in text


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("by", ["emotion", "folder", "status"])
def test_tables_fit_the_terminal_and_lose_nothing(tmp_path, monkeypatch, capsys, width, by):
    monkeypatch.setenv("COLUMNS", str(width))
    folder = "a/folder of a rather long name [red] with :smile: in it/" + "x" * 60
    emotions = (*FIVE, "neutral")
    found = [labelled(f"{folder}/{n}.wav", "neutral", 0.5, 36_000.0, emotions) for n in range(99)]
    text = output(capsys, "--by", by, write(tmp_path / "r.csv", found, emotions))
    table = text[text.index("By ") :]
    assert max(map(len, table.splitlines())) <= width
    if by == "folder":
        # Folded, never cut.
        assert "[red]" in table
        assert ":smile:" in table
        assert table.count("x") == 120 + table.count("xt")
    assert "99" in table
    assert "..." not in table
    assert "990:00:00" in table


def test_several_files_count_as_one_and_unite_their_emotions(results, capsys):
    other = ("bored", "calm", "sad", "angry")
    more = [
        labelled("r/calls/a.wav", "sad", 0.3, 1.0, other),
        labelled("s/z.wav", "bored", 0.4, 1.0, other),
    ]
    found = tidy(capsys, results, write("more.jsonl", more, other))
    assert [(row["emotion"], row["n"]) for row in found] == [
        ("angry", "1"),
        ("disgust", "0"),
        ("fear", "0"),
        ("happy", "1"),
        ("sad", "3"),
        ("calm", "0"),
        ("bored", "1"),
    ]
    text = output(capsys, results, "more.jsonl")
    assert text.startswith("2 files (serctl-results.csv, more.jsonl): 10 recordings, 6 labelled")


def test_many_files_are_not_all_named(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = [
        write(f"{n}.csv", [replace(one, path=f"{n}/{one.path}") for one in RESULTS])
        for n in range(5)
    ]
    text = output(capsys, *files)
    assert text.startswith("5 files (0.csv, 1.csv, 2.csv, ...): 40 recordings, 20 labelled")


def test_only_the_first_paths_of_a_reason_are_shown(tmp_path, capsys):
    path = write(tmp_path / "r.csv", [unreadable(f"{n}.wav") for n in range(7)])
    text = output(capsys, path)
    assert "unreadable, 7 recordings: 0 bytes." in text
    assert text.endswith("  0.wav\n  1.wav\n  2.wav\n  and 4 more\n")


def test_the_most_frequent_reason_comes_first_and_long_paths_stay_whole(tmp_path, capsys):
    path = f"{'long/' * 40}b.wav"
    usual = [unreadable(name, "the usual") for name in (path, "c.wav")]
    found = [unreadable("a.wav", "a rare one"), *usual]
    made = write(tmp_path / "r.csv", found)
    assert [row["reason"] for row in tidy(capsys, "--by", "status", made)] == [
        "the usual",
        "a rare one",
    ]
    assert f"\n  {path}\n" in output(capsys, made)


def test_a_reason_that_is_missing_is_said_to_be(tmp_path, capsys):
    path = write(tmp_path / "r.csv", [Result("a.wav", "silent")])
    assert "silent, 1 recording: no reason given\n  a.wav\n" in output(capsys, path)


def test_without_any_label_there_are_no_shares(tmp_path, capsys):
    path = write(tmp_path / "r.csv", [unreadable("a.wav")])
    assert ["sad", "0", "-", "-", "0:00:00"] in cells(output(capsys, path))
    assert tidy(capsys, path)[0] == {
        "emotion": "angry",
        "n": "0",
        "share": "",
        "mean_confidence": "",
        "duration_s": "0.0",
    }
    assert tidy(capsys, "--by", "folder", path)[0]["most_frequent"] == ""


def test_of_equally_frequent_emotions_the_first_is_named(tmp_path, capsys):
    found = [labelled("a.wav", "sad", 0.9, 1.0), labelled("b.wav", "fear", 0.3, 1.0)]
    path = write(tmp_path / "r.csv", found)
    assert tidy(capsys, "--by", "folder", path)[0]["most_frequent"] == "fear"


def test_names_cannot_reach_the_terminal_unescaped(tmp_path, capsys):
    name = "[bold]a:smile:\x1b[2J\r\n|b" + os.fsdecode(b"\xff") + "é"
    path = write(tmp_path / "r.csv", [unreadable(f"{name}/a.wav", f"bad {name}")])
    escaped = r"[bold]a:smile:\x1b[2J\r\n|b\udcffé"
    assert escaped in output(capsys, "--by", "folder", path)
    text = output(capsys, path)
    assert f"bad {escaped}\n  {escaped}/a.wav\n" in text
    markdown = output(capsys, "--format", "markdown", "--by", "folder", path)
    assert r"| \[bold\]a:smile:\\x1b\[2J\\r\\n\|b\\udcffé | 1 |" in markdown


def test_names_come_out_of_machine_formats_as_they_are(tmp_path, capsysbinary):
    name = os.fsdecode(b"caf\xe9\r\n, x")
    path = write(tmp_path / "r.csv", [unreadable(f"{name}/a.wav")])
    assert run(["report", "--format", "csv", "--by", "folder", path]) == 0
    assert b'\n"caf\xe9\r\n, x",1,' in capsysbinary.readouterr().out
    assert run(["report", "--format", "json", path]) == 0
    assert json.loads(capsysbinary.readouterr().out)["folder"][0]["folder"] == name


def failure(capsys, *arguments):
    status = run(["report", *arguments])
    captured = capsys.readouterr()
    assert captured.out == ""
    return status, captured.err


def test_without_results_it_says_to_classify_first(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    status, message = failure(capsys)
    assert status == 2
    assert message.startswith("Error: serctl-results.csv: does not exist in this folder")
    assert "serctl classify ./recordings" in message
    (tmp_path / "serctl-results.csv.journal").touch()
    status, message = failure(capsys)
    assert status == 2
    assert "continue it with serctl classify --resume" in message


def test_exit_statuses(results, tmp_path, capsys):
    assert failure(capsys, "none.csv")[0] == 2
    assert failure(capsys, "--by", "mood")[0] == 2
    assert failure(capsys, "--format", "xml")[0] == 2
    (tmp_path / "notes.txt").write_text("x")
    assert failure(capsys, "notes.txt")[0] == 2
    (tmp_path / "other.csv").write_text("name,age\n")
    status, message = failure(capsys, results, "other.csv")
    assert status == 3
    assert message.startswith("Error: other.csv, line 1: not the columns of serctl results")


def test_results_without_rows_are_not_summarised(tmp_path, capsys):
    status, message = failure(capsys, write(tmp_path / "r.csv", []))
    assert status == 3
    assert "r.csv: no rows" in message


def test_a_summary_of_a_part_is_never_shown(results, capsys):
    with open(results, "a") as file:
        file.write("torn,ok")
    status, message = failure(capsys)
    assert status == 3
    assert "serctl-results.csv, line 10: 2 cells" in message


def test_help_has_an_example(capsys):
    text = output(capsys, "--help")
    assert "serctl report --by folder" in text
    assert max(map(len, text.splitlines())) <= 80


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b/c", "d"]),
            st.sampled_from(FIVE),
            st.integers(20, 100),
            st.integers(0, 10_000_000),
        ),
        min_size=1,
    )
)
def test_groups_add_up_to_the_whole(tmp_path_factory, found):
    made = [
        labelled(f"{folder}/{n}.wav", emotion, percent / 100, length_ms / 1000)
        for n, (folder, emotion, percent, length_ms) in enumerate(found)
    ]
    summary = summarize([write(tmp_path_factory.mktemp("report") / "r.jsonl", made)])
    total_s = sum(result.duration_s for result in made)
    for by in ("emotion", "folder", "status"):
        grouped = rows(summary, by)
        assert sum(row["n"] for row in grouped) == len(made)
        assert sum(row["share"] for row in grouped) == pytest.approx(1, abs=1e-5)
        assert sum(row["duration_s"] for row in grouped) == pytest.approx(total_s, abs=0.01)
    for row in rows(summary, "emotion"):
        sure = [result.confidence for result in made if result.emotion == row["emotion"]]
        mean = pytest.approx(sum(sure) / len(sure), abs=1e-5) if sure else None
        assert row["mean_confidence"] == mean


@pytest.mark.parametrize(
    ("duration_s", "expected"),
    [
        (0, "0:00:00"),
        (59.6, "0:01:00"),
        (3599.9, "1:00:00"),
        (3723, "1:02:03"),
        (36e4, "100:00:00"),
    ],
)
def test_clock(duration_s, expected):
    assert clock(duration_s) == expected


def test_printable_leaves_what_prints():
    assert printable("Grüße, 😀 日本") == "Grüße, 😀 日本"
    assert printable("a\tb\x00\u202e") == r"a\tb\x00\u202e"


def test_report_imports_nothing_heavy(results):
    script = (
        "import sys; from serctl.cli import run; status = run(['report', '--format', 'csv']); "
        "heavy = {'torch', 'librosa', 'numba', 'pandas', 'numpy', 'rich'} & set(sys.modules); "
        "sys.exit(f'{status} {heavy}' if status or heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)


def test_what_is_labelled_by_a_part_is_told(results, capsys):
    whole = labelled("r/a.wav", "sad", 0.9, 2.0)
    reason = "truncated: 2.0 s came of 3.0 s that its header promises."
    write("o.csv", [whole, replace(whole, path="r/b.wav", reason=reason)])
    told = output(capsys, "o.csv")
    assert f"\nok, 1 recording: {reason}\n  r/b.wav\n" in told
    assert "r/a.wav" not in told


def test_only_the_most_frequent_reasons_are_kept_and_the_others_counted(monkeypatch):
    monkeypatch.setattr(summary_module, "MOST_REASONS", 3)
    summary = Summary(("r.csv",), ("angry",))
    letters = "abcdefghijklmnop"
    for i in range(200):
        reason = "often" if i % 3 == 0 else letters[i % 16] * (1 + i // 16)
        summary.add(Result(f"{i}.wav", "unreadable", reason))
        assert len(summary.reasons) <= 2 * 3 + 1
    found = summary.ordered_reasons()
    assert len(found) <= 3 + 1
    assert sum(reason.tally.n for reason in found) == 200
    by_text = {reason.text: reason.tally.n for reason in found}
    assert by_text["often"] == 67
    assert by_text["other reasons"] > 100


def test_a_duration_whose_sum_would_overflow_is_an_error_of_its_row(tmp_path):
    row = "a.wav,ok,,sad,0.9,0.1,0.9,{},16000,1,1\n"
    text = "path,status,reason,emotion,confidence,p_angry,p_sad,"
    text += "duration_s,sample_rate_hz,channels,windows\n" + row.format("1.0") + row.format("1e308")
    (tmp_path / "r.csv").write_text(text)
    with pytest.raises(ResultsError, match=r"line 3: column duration_s holds '1e308'"):
        summarize([tmp_path / "r.csv"])
