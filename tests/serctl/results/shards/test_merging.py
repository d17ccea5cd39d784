"""Merged shards are the results of one run, byte for byte; what does not belong together is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from serctl.cli import run

RECORDINGS = Path(__file__).parents[3] / "recordings"
N_SHARDS = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of one run, and of three shards of the same manifest."""
    folder = tmp_path_factory.mktemp("shards")
    shutil.copytree(RECORDINGS, folder / "recordings")
    (folder / "recordings" / "broken.wav").write_bytes(b"RIFF")
    short = sorted((RECORDINGS / "calls").glob("*.wav"))
    samples, rate_hz = soundfile.read(short[0], always_2d=True)
    soundfile.write(folder / "recordings" / "long.wav", np.tile(samples[:, 0], 24), rate_hz)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run(["scan", "recordings", "-o", "manifest.csv"]) == 0
        common = ["--model", "cnn"]
        for extension in ("csv", "jsonl"):
            assert run(["classify", "recordings", "-o", f"whole.{extension}", *common]) == 1
        for i in range(1, N_SHARDS + 1):
            shard = ["--files-from", "manifest.csv", "--shard", f"{i}/{N_SHARDS}"]
            run(["classify", *shard, "-o", f"shard-{i}.csv", *common])
    return folder


@pytest.fixture
def here(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folder, in which the test runs."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    monkeypatch.chdir(copy)
    return copy


@pytest.mark.parametrize("extension", ["csv", "jsonl"])
def test_merged_shards_are_the_same_bytes_as_one_run(here: Path, extension: str) -> None:
    shards = [f"shard-{i}.csv" for i in (2, 3, 1)]
    assert run(["merge", *shards, "-o", f"merged.{extension}"]) == 1  # one is unreadable
    assert Path(f"merged.{extension}").read_bytes() == Path(f"whole.{extension}").read_bytes()
    merged, whole = (
        json.loads(Path(f"{name}.{extension}.run.json").read_text()) for name in ("merged", "whole")
    )
    assert merged["counts"] == whole["counts"]
    assert merged["shards"] == N_SHARDS
    assert "shard" not in merged


def test_segments_are_merged_too(here: Path) -> None:
    assert Path("whole.csv.segments.csv").exists()
    run(["merge", ".", "-o", "merged.csv"])
    merged, whole = (Path(f"{name}.csv.segments.csv") for name in ("merged", "whole"))
    assert merged.read_bytes() == whole.read_bytes()


def test_an_empty_shard_is_merged(here: Path) -> None:
    for i in (1, 2):
        shard = ["--shard", f"{i}/2", "-o", f"few-{i}.jsonl", "--model", "paper-cnn"]
        assert run(["classify", "recordings/calls/voicemail.mp3", *shard]) == 0
    sizes = [len(Path(f"few-{i}.jsonl").read_bytes()) for i in (1, 2)]
    assert min(sizes) == 0 < max(sizes)
    assert run(["merge", "few-1.jsonl", "few-2.jsonl", "-o", "few.jsonl"]) == 0
    assert len(Path("few.jsonl").read_bytes()) == max(sizes)


def _change(path: str, **changes: object) -> None:
    record = json.loads(Path(f"{path}.run.json").read_text())
    Path(f"{path}.run.json").write_text(json.dumps(record | changes))


def test_what_does_not_belong_together_is_refused(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def refused(*arguments: str) -> str:
        assert run(["merge", *arguments, "-o", "merged.csv"]) in (2, 3)
        assert not Path("merged.csv").exists()
        return capfd.readouterr().err

    assert "1 of 3 shards missing: 2." in refused("shard-1.csv", "shard-3.csv")
    assert "not the results of a shard" in refused("whole.csv")
    assert "no SHARDS" in refused()
    assert "no no.csv.run.json beside it" in refused("no.csv")
    assert "no results of shards" in refused("recordings")
    shutil.copy("shard-1.csv", "again.csv")
    shutil.copy("shard-1.csv.run.json", "again.csv.run.json")
    assert "both are shard 1" in refused(*(f"shard-{i}.csv" for i in (1, 2, 3)), "again.csv")
    _change("shard-2.csv", speech="off")
    assert "made with different speech" in refused(*(f"shard-{i}.csv" for i in (1, 2, 3)))


def test_a_shard_with_rows_missing_is_refused(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = Path("shard-2.csv").read_text().splitlines(keepends=True)
    Path("shard-2.csv").write_text("".join(lines[:-1]))
    assert run(["merge", *(f"shard-{i}.csv" for i in (1, 2, 3)), "-o", "merged.csv"]) == 3
    assert f"{len(lines) - 2} rows; its run wrote {len(lines) - 1}" in capfd.readouterr().err
    assert not Path("merged.csv").exists()


def test_an_output_is_not_one_of_the_shards(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shards = [f"shard-{i}.csv" for i in (1, 2, 3)]
    assert run(["merge", *shards, "-o", "shard-1.csv", "--overwrite"]) == 2
    assert "is one of the shards" in capfd.readouterr().err
