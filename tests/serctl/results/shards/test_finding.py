"""Results among named paths: folders of shards, patterns, and segments files that patterns match."""

import json
from pathlib import Path

import pytest
from support.result_files import write_results

from serctl import read_results
from serctl.cli import run
from serctl.errors import PathError, ResultsError, UsageError
from serctl.results.shards.finding import find_results


@pytest.fixture
def shards(tmp_path, monkeypatch):
    """A folder with eleven shards, one of them with segments, and what is not results."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "shards"
    folder.mkdir()
    for i in range(1, 12):
        path = folder / f"shard-{i}.csv"
        write_results(str(path), 3, seed=i, calls=i == 11)
        record = {"emotions": ["angry"], "shard": {"number": i, "count": 11}}
        Path(f"{path}.run.json").write_text(json.dumps(record))
    (folder / "manifest.csv").write_text("path\na.wav\n")
    (folder / "features.csv.run.json").write_text("{}")
    return folder


def test_shards_are_in_the_order_of_their_numbers(shards):
    found = find_results([str(shards)])
    assert [Path(path).name for path in found] == [f"shard-{i}.csv" for i in range(1, 12)]


def test_a_pattern_leaves_segments_to_their_results(shards):
    found = find_results([str(shards / "shard-*.csv")])  # as on Windows
    assert len(found) == 11
    named = [*map(str, sorted(shards.glob("shard-*.csv")))]  # as a shell expands it
    assert find_results(named) == found


def test_segments_alone_are_refused(shards):
    with pytest.raises(
        UsageError, match=r"shard-11\.csv\.segments\.csv: has the segments.*shard-11"
    ):
        find_results([str(shards / "shard-11.csv.segments.csv")])


def test_a_folder_without_results_is_an_error(tmp_path):
    with pytest.raises(PathError, match="no results in this folder"):
        find_results([str(tmp_path)])
    with pytest.raises(PathError, match="no results in this folder"):
        read_results(tmp_path)


def test_a_record_that_cannot_be_read_hides_no_results(shards):
    (shards / "shard-2.csv.run.json").write_text("{")
    assert len(find_results([str(shards)])) == 11


def test_python_reads_a_folder(shards):
    emotions, results = read_results(shards)
    expected = [one for i in range(1, 12) for one in read_results(shards / f"shard-{i}.csv")[1]]
    assert list(results) == expected
    assert emotions == read_results(shards / "shard-1.csv")[0]


def test_files_of_other_emotions_are_refused(shards):
    (shards / "shard-2.csv").write_text(
        (shards / "shard-2.csv").read_text().replace("_sad", "_glad")
    )
    with pytest.raises(ResultsError):
        read_results(shards)


def test_report_of_a_folder_is_that_of_its_files(shards, capsys):
    named = [str(shards / f"shard-{i}.csv") for i in range(1, 12)]
    texts = []
    for paths in ([str(shards)], named):
        assert run(["report", "--format", "markdown", *paths]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert run(["report", "--moments", "3", str(shards)]) == 0  # ten shards have no segments
    assert "shard" not in capsys.readouterr().err
