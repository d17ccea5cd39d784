import csv
import importlib.util
import os
import time
import weakref
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from serctl.errors import ResultsError, UsageError
from serctl.features import formats
from serctl.features import mel as features
from serctl.features import table as feature_table
from serctl.features.descriptors import describe, value_names
from serctl.features.mel import MelSpec
from serctl.features.table import check_feature_output, write_features

SPEC = MelSpec()
FACTS = ["path", "status", "reason", "duration_s", "sample_rate_hz", "channels", "level_dbfs"]


@pytest.fixture
def mixed(write_recording, tmp_path):
    """Paths of recordings of every status, lengths that finish out of order, and odd names."""
    (tmp_path / "text.wav").write_text("not sound")
    return [
        write_recording("long.wav", "speech", 33.0, 8000),
        write_recording('a, "b"\nc $x$ ü.wav', "noise", 0.5, 44100, 2),
        str(tmp_path / "text.wav"),
        write_recording("silence.wav", "silence", 0.5),
        write_recording("empty.wav", np.empty((0, 1))),
        write_recording("tone.flac", "tone", 1.5, 22050),
    ]


def written(paths, output, **options):
    return list(write_features(paths, str(output), **options))


def test_a_row_is_what_is_known_of_a_recording(mixed, tmp_path):
    described = written(mixed, tmp_path / "f.csv")
    assert [one.path for one in described] == mixed
    with open(tmp_path / "f.csv", newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == [*FACTS, *value_names(SPEC)]
    statuses = ["ok", "ok", "unreadable", "silent", "too_short", "ok"]
    assert [row[:2] for row in rows] == [list(pair) for pair in zip(mixed, statuses, strict=True)]
    assert rows[1][2:7] == ["", "0.5", "44100", "2", rows[1][6]]
    assert -20 < float(rows[1][6]) < -10
    assert rows[2][2].startswith("Format not recognised. Not audio")
    assert rows[2][3:] == [""] * (4 + len(value_names(SPEC)))
    assert rows[3][3:7] == ["0.5", "16000", "1", ""]
    assert rows[4][3:8] == ["0.0", "16000", "1", "", ""]
    for path, row in zip(mixed, rows, strict=True):
        expected = describe(path, SPEC).values
        found = [np.float32(cell) for cell in row[7:] if cell]
        np.testing.assert_array_equal(found, expected)  # every digit that a float32 has


def test_the_formats_hold_the_same(mixed, tmp_path):
    for extension in ("csv", "parquet", "npz"):
        written(mixed, tmp_path / f"f.{extension}", label=lambda path: ("sad", path[-5:], "x"))
    table = pd.read_csv(tmp_path / "f.csv", keep_default_na=False, na_values={"level_dbfs": ""})
    other = pd.read_parquet(tmp_path / "f.parquet")
    assert list(table) == list(other)
    assert list(table)[:7] == [*FACTS[:3], "emotion", "speaker", "corpus", FACTS[3]]
    with np.load(tmp_path / "f.npz") as arrays:
        assert "frames" not in " ".join(arrays.files)
        for name in list(table)[:6]:
            assert table[name].tolist() == other[name].tolist() == arrays[name].tolist()
        read = [0, 1, 3, 4, 5]
        for name in FACTS[3:]:
            numbers = pd.to_numeric(table[name])[read].to_numpy(float)
            np.testing.assert_array_equal(numbers, other[name][read].to_numpy(float))
            np.testing.assert_array_equal(numbers, arrays[name][read].astype(float))
            assert pd.isna(other[name][2])
        assert (arrays["sample_rate_hz"][2], arrays["channels"][2]) == (0, 0)
        values = other[list(value_names(SPEC))].to_numpy(np.float32)
        as_text = table[list(value_names(SPEC))].replace("", "nan").to_numpy(np.float32)
        np.testing.assert_array_equal(as_text, values)
        assert np.isnan(values[[2, 4]]).all()
        np.testing.assert_array_equal(arrays["mel"], values[:, :128])
        np.testing.assert_array_equal(arrays["mfcc"], values[:, 128:148])
        for name in value_names(SPEC)[148:]:
            np.testing.assert_array_equal(arrays[name], other[name])


@pytest.mark.parametrize("spool_bytes", [1, 100_000, 1 << 22])
def test_frames_are_kept_by_path(mixed, tmp_path, monkeypatch, spool_bytes):
    monkeypatch.setattr(formats, "SPOOL_BYTES", spool_bytes)
    written(mixed, tmp_path / "f.npz", frames=True)
    with np.load(tmp_path / "f.npz") as arrays:
        kept = [name.removeprefix("frames/mel/") for name in arrays if "frames/mel/" in name]
        assert kept == [path for path in mixed if "text" not in path and "empty" not in path]
        assert len([name for name in arrays if name.startswith("frames/")]) == 2 * len(kept)
        for row, path in enumerate(mixed):
            if path not in kept:
                continue
            mel, mfcc = arrays[f"frames/mel/{path}"], arrays[f"frames/mfcc/{path}"]
            assert mel.dtype == mfcc.dtype == np.float32
            assert mfcc.shape == (len(mel), 20)
            means = mel.mean(axis=0, dtype=np.float64)
            np.testing.assert_allclose(arrays["mel"][row], means, rtol=1e-6)
            means = mfcc.mean(axis=0, dtype=np.float64)
            np.testing.assert_allclose(arrays["mfcc"][row], means, atol=1e-3)
        assert arrays[f"frames/mel/{mixed[0]}"].shape == (1 + 33 * 22050 // 512, 128)
    assert not [name for name in os.listdir(tmp_path) if name.startswith("tmp")]


def test_frames_are_the_mel_spectrogram(write_recording, tmp_path):
    path = write_recording("a.wav", "speech", 1.0, 22050)
    written([path], tmp_path / "f.npz", frames=True)
    samples = np.load(tmp_path / "f.npz")
    with samples as arrays:
        mel = arrays[f"frames/mel/{path}"]
    from serctl.audio.decoding import read_windows

    expected = features.mel_spectrogram(next(read_windows(path, 22050, 9.0)[1]), SPEC)
    np.testing.assert_allclose(mel, expected, rtol=0, atol=1e-6 * expected.max())


@pytest.mark.parametrize("extension", ["csv", "parquet", "npz"])
def test_bytes_are_the_same_for_any_number_of_threads(mixed, tmp_path, monkeypatch, extension):
    outputs = []
    for n_workers in (1, 8):
        monkeypatch.setattr(feature_table, "n_cores", lambda n=n_workers: n)
        output = tmp_path / f"f{n_workers}.{extension}"
        written(mixed, output, frames=extension == "npz")
        outputs.append(output.read_bytes())
    assert outputs[0] == outputs[1]


def test_few_spools_wait_behind_a_long_recording(write_recording, tmp_path, monkeypatch):
    alive, most = weakref.WeakSet(), []

    class CountedSpool(formats.FrameSpool):
        def __init__(self, folder):
            super().__init__(folder)
            alive.add(self)
            most.append(len(alive))

    def slowly(path, *arguments):
        time.sleep(0.2 if path == paths[0] else 0)
        return describe(path, *arguments)

    monkeypatch.setattr(feature_table, "FrameSpool", CountedSpool)
    monkeypatch.setattr(feature_table, "describe", slowly)
    monkeypatch.setattr(feature_table, "n_cores", lambda: 2)
    paths = [write_recording(f"{i}.wav", "noise", 0.1) for i in range(30)]
    written(paths, tmp_path / "f.npz", frames=True)
    assert len(most) == 30
    assert max(most) <= 2 * feature_table.SPOOLS_AHEAD_PER_WORKER + 1


def test_parquet_is_written_in_groups(write_recording, tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "ROWS_PER_GROUP", 2)
    paths = [write_recording(f"{i}.wav", "noise", 0.1) for i in range(5)]
    written(paths, tmp_path / "f.parquet")
    from pyarrow.parquet import ParquetFile

    with ParquetFile(tmp_path / "f.parquet") as file:
        assert file.num_row_groups == 3
        assert file.read().column("path").to_pylist() == paths


def test_names_that_are_not_utf8_are_kept(write_recording, tmp_path):
    path = os.path.join(tmp_path, os.fsdecode(b"caf\xe9.wav"))
    try:
        os.rename(write_recording("a.wav", "noise", 0.1), path)
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    for extension in ("csv", "parquet", "npz"):
        written([path], tmp_path / f"f.{extension}", frames=extension == "npz")
    assert b"caf\xe9.wav,ok" in (tmp_path / "f.csv").read_bytes()
    escaped = path.encode("utf-8", "backslashreplace").decode()
    assert escaped.endswith(r"caf\udce9.wav")
    assert pd.read_parquet(tmp_path / "f.parquet")["path"].tolist() == [escaped]
    with np.load(tmp_path / "f.npz") as arrays:
        assert arrays["path"].tolist() == [escaped]
        assert f"frames/mfcc/{escaped}" in arrays


def test_two_paths_that_look_the_same_have_frames_of_their_own(write_recording, tmp_path):
    plain = write_recording(r"caf\udce9.wav", "noise", 0.3)
    odd = os.path.join(tmp_path, os.fsdecode(b"caf\xe9.wav"))
    try:
        os.rename(write_recording("a.wav", "speech", 0.6), odd)
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    written([plain, odd], tmp_path / "f.npz", frames=True)
    with np.load(tmp_path / "f.npz") as arrays:
        names = [name for name in arrays if name.startswith("frames/mel/")]
        assert len(names) == len(set(names)) == 2
        assert [len(arrays[name]) for name in names] == [1 + 6615 // 512, 1 + 13230 // 512]


@pytest.mark.parametrize("extension", ["csv", "parquet", "npz"])
def test_nothing_is_left_of_a_table_that_is_broken_off(mixed, tmp_path, extension):
    output = tmp_path / f"f.{extension}"
    output.write_text("old")
    before = sorted(os.listdir(tmp_path))
    rows = write_features(mixed, str(output), frames=extension == "npz")
    next(rows)
    assert sorted(os.listdir(tmp_path)) != before
    rows.close()
    assert sorted(os.listdir(tmp_path)) == before
    assert output.read_text() == "old"


def test_a_table_that_cannot_be_written_is_told(mixed, tmp_path):
    with pytest.raises(ResultsError, match=r"f\.csv: cannot be written"):
        written(mixed, tmp_path / "nowhere" / "f.csv")


@pytest.mark.parametrize(
    ("name", "frames", "message"),
    [
        ("f.json", False, r"\.json is not one of \.csv, \.parquet, \.npz"),
        ("-", False, "none is not one of"),
        ("f.csv", True, r"\.csv cannot hold frames, only \.npz can"),
        ("f.parquet", True, "cannot hold frames"),
    ],
)
def test_outputs_that_make_no_sense_are_refused(tmp_path, name, frames, message):
    with pytest.raises(UsageError, match=message):
        check_feature_output(name if name == "-" else str(tmp_path / name), False, frames)


def test_a_file_is_replaced_only_when_asked(tmp_path):
    output = tmp_path / "f.NPZ"
    output.touch()
    with pytest.raises(UsageError, match="exists already"):
        check_feature_output(str(output), False, True)
    check_feature_output(str(output), True, True)


def test_parquet_without_pyarrow_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    check_feature_output(str(tmp_path / "f.csv"), False, False)
    with pytest.raises(ResultsError, match="pip install pyarrow"):
        check_feature_output(str(tmp_path / "f.parquet"), False, False)


def test_paths_may_be_path_objects(write_recording, tmp_path):
    path = Path(write_recording("a.wav", "speech", 0.5))
    check_feature_output(tmp_path / "f.csv", False, False)
    (described,) = write_features([path], tmp_path / "f.csv", n_workers=1)
    assert (described.path, described.status) == (str(path), "ok")
    assert (tmp_path / "f.csv").exists()
