import hashlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from serctl.errors import CorporaError
from serctl.train.corpora import survey as survey_module
from serctl.train.corpora.manifest import manifest
from serctl.train.corpora.survey import Survey, survey

RATE_HZ = 16000
N_SAMPLES = 400


def write_noise(path: Path, seed: int, n_channels: int = 1, **options: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(seed).normal(0, 0.1, (N_SAMPLES, n_channels))
    soundfile.write(path, samples, RATE_HZ, **options)


def row(found: Survey, clip: str) -> dict[str, object]:
    (record,) = found.table[found.table["clip"] == clip].to_dict("records")
    return record


def test_the_columns_of_a_clip(tmp_path: Path) -> None:
    path = tmp_path / "TESS" / "OAF_back_ps.wav"
    write_noise(path, 0, n_channels=2)
    found = survey(tmp_path)
    assert list(found.table.index) == [0]
    assert row(found, "OAF_back_ps") == {
        "path": str(path),
        "corpus": "tess",
        "clip": "OAF_back_ps",
        "speaker": "tessOAF",
        "emotion": "surprise",
        "fold": 0,
        "test": True,
        "emobox": 0,
        "duration_s": N_SAMPLES / RATE_HZ,
        "sample_rate_hz": RATE_HZ,
        "channels": 2,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "original": False,
        "status": "ok",
        "reason": "",
    }


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("DC_a01.flac", {}),
        ("DC_a01.ogg", {}),
        ("DC_a01.mp3", {}),
        ("DC_a01.aiff", {}),
        ("DC_a01.wav", {"format": "AIFF", "subtype": "PCM_16"}),
    ],
)
def test_any_format_is_read_whatever_its_extension(
    tmp_path: Path, name: str, options: dict[str, str]
) -> None:
    write_noise(tmp_path / name, 1, **options)
    clip = row(survey(tmp_path), "DC_a01")
    assert (clip["status"], clip["sample_rate_hz"], clip["duration_s"]) == ("ok", RATE_HZ, 0.025)


@pytest.mark.parametrize(
    ("peak", "status"), [(0.0, "silent"), (0.4 / 32768, "silent"), (1 / 32768, "ok"), (0.5, "ok")]
)
def test_silent_is_what_never_reaches_one_step_of_16_bits(
    tmp_path: Path, peak: float, status: str
) -> None:
    samples = np.zeros(N_SAMPLES)
    samples[7] = -peak
    soundfile.write(tmp_path / "DC_a01.wav", samples, RATE_HZ, subtype="FLOAT")
    assert row(survey(tmp_path), "DC_a01")["status"] == status


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("DC_a01.wav", b"", "0 bytes"),
        ("DC_a01.wav", b"not audio at all", "Format not recognised"),
        ("DC_a01.wav", b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        ("DC_a01.m4a", b"not audio at all", "convert it to wav or flac"),
    ],
)
def test_an_unreadable_clip_is_a_row_with_its_reason(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    write_noise(tmp_path / "DC_a02.wav", 2)
    found = survey(tmp_path)
    clip = row(found, "DC_a01")
    assert clip["status"] == "unreadable"
    assert reason in str(clip["reason"])
    assert clip["sha256"] == hashlib.sha256(content).hexdigest()
    assert np.isnan(clip["duration_s"])
    assert row(found, "DC_a02")["status"] == "ok"


def test_a_clip_without_samples_or_with_nan_is_unreadable(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "DC_a01.wav", np.zeros(0), RATE_HZ)
    soundfile.write(tmp_path / "DC_a02.wav", np.full(9, np.nan), RATE_HZ, subtype="FLOAT")
    (tmp_path / "DC_a03.wav").symlink_to(tmp_path / "gone")
    table = survey(tmp_path).table
    assert table["status"].tolist() == ["unreadable"] * 3
    reasons = ["0 samples", "samples that are not numbers", "No such file or directory"]
    assert table["reason"].tolist() == reasons
    assert table["sha256"].isna().tolist() == [False, False, True]


def test_trees_nested_twice_give_each_clip_once(tmp_path: Path) -> None:
    for clip, seed in (("DC_a01", 1), ("DC_a02", 2)):
        write_noise(tmp_path / "ALL" / f"{clip}.wav", seed)
    shutil.copytree(tmp_path / "ALL", tmp_path / "SAVEE" / "ALL")
    write_noise(tmp_path / "SAVEE" / "ALL" / "DC_a02.wav", 3)
    found = survey(tmp_path)
    assert found.table["path"].tolist() == [
        str(tmp_path / "ALL" / name) for name in ("DC_a01.wav", "DC_a02.wav")
    ]
    assert list(found.duplicates.itertuples(index=False, name=None)) == [
        (str(tmp_path / "SAVEE" / "ALL" / name), str(tmp_path / "ALL" / name), same)
        for name, same in (("DC_a01.wav", True), ("DC_a02.wav", False))
    ]
    assert found.identical == []


def test_different_clips_of_the_same_bytes_are_reported(tmp_path: Path) -> None:
    for name in ("DC_a01.wav", "DC_h01.wav"):
        write_noise(tmp_path / name, 4)
    write_noise(tmp_path / "DC_f01.wav", 5)
    # Two empty files are unreadable, not the same clip.
    (tmp_path / "DC_n01.wav").touch()
    (tmp_path / "DC_n02.wav").touch()
    assert survey(tmp_path).identical == [(("savee", "DC_a01"), ("savee", "DC_h01"))]


def test_what_is_missing_unknown_or_sung(tmp_path: Path) -> None:
    write_noise(tmp_path / "DC_a01.wav", 6)
    (tmp_path / "03-02-02-01-01-01-01.wav").touch()
    (tmp_path / "mine.wav").touch()
    found = survey(tmp_path)
    counts = {corpus: len(clips) for corpus, clips in found.missing.items()}
    assert counts == {"crema-d": 7442, "ravdess": 1440, "savee": 479, "tess": 2800}
    assert "DC_a01" not in found.missing["savee"]
    assert found.songs == [str(tmp_path / "03-02-02-01-01-01-01.wav")]
    assert found.unknown == [str(tmp_path / "mine.wav")]
    assert not found.complete


def test_an_original_is_known_by_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seed in (("DC_a01.wav", 7), ("DC_a02.wav", 8)):
        write_noise(tmp_path / name, seed)
    table = manifest()
    published = hashlib.sha256((tmp_path / "DC_a01.wav").read_bytes()).hexdigest()
    table.loc[table["clip"].isin(["DC_a01", "DC_a02"]), "sha256"] = published
    monkeypatch.setattr(survey_module, "manifest", lambda: table)
    assert survey(tmp_path).table["original"].tolist() == [True, False]


def test_progress_sees_every_file_and_its_number(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "DC_a01.wav" for folder in ("a", "b")]
    for path in paths:
        write_noise(path, 9)
    seen = []

    def progress(readings: Iterable[Any], n_files: int) -> Iterator[Any]:
        for path, reading in readings:
            seen.append((path, n_files))
            yield path, reading

    survey(tmp_path, progress)
    assert seen == [(str(path), 2) for path in paths]


def test_an_interrupt_does_not_wait_for_all_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for take in range(1, 16):
        write_noise(tmp_path / f"DC_a{take:02}.wav", take)
    monkeypatch.setattr(survey_module, "n_cores", lambda: 1)
    read, reads = survey_module._read, []

    def slow_read(path: str) -> object:
        reads.append(path)
        time.sleep(0.05 if len(reads) > 1 else 0)
        return read(path)

    def interrupt(readings: Iterable[Any], n_files: int) -> Iterable[Any]:
        for _ in readings:
            raise KeyboardInterrupt
        return ()

    monkeypatch.setattr(survey_module, "_read", slow_read)
    with pytest.raises(KeyboardInterrupt):
        survey(tmp_path, interrupt)
    assert len(reads) < 15


def test_a_folder_without_clips_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorporaError, match="no clip of the four corpora"):
        survey(tmp_path)


def test_real_clips_are_found_and_read() -> None:
    folder = os.environ.get("SERCTL_FOLD0")
    if not folder:
        pytest.skip("SERCTL_FOLD0 does not name the folder of fold 0's test clips")
    table = survey(folder).table
    expected = manifest().query("fold == 0 and test").sort_values(["corpus", "clip"])
    assert table["clip"].tolist() == expected["clip"].tolist()
    assert set(table["status"]) == {"ok"}
    assert np.abs(table["duration_s"] - expected["seconds"].to_numpy()).max() < 0.002
    assert (table["sample_rate_hz"] == expected["rate_hz"].to_numpy()).all()
