import os
import shutil

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from serctl.cli import cli, run


@pytest.fixture
def folder(write_recording, tmp_path):
    write_recording("in/a.wav", "speech", 0.5)
    write_recording("in/b.flac", "tone", 0.7, 44100, 2)
    return tmp_path / "in"


def test_a_table_is_written(folder, tmp_path, capsys):
    output = tmp_path / "f.csv"
    assert run(["features", str(folder), "-o", str(output)]) == 0
    assert capsys.readouterr().out == f"{output}: 2 recordings: 2 ok\n"
    table = pd.read_csv(output)
    assert table["path"].tolist() == [str(folder / "a.wav"), str(folder / "b.flac")]
    assert table["duration_s"].tolist() == [0.5, 0.7]
    assert table.shape == (2, 7 + 128 + 20 + 6)
    assert table.iloc[:, 7:].notna().all(axis=None)
    assert sorted(os.listdir(tmp_path)) == ["f.csv", "in"]


def test_clips_of_the_corpora_are_labelled(folder, tmp_path, capsys):
    names = {
        "1001_DFA_ANG_XX.wav": ["angry", "crema1001", "crema-d"],
        "03-01-06-01-02-01-12.wav": ["fear", "ravdess12", "ravdess"],
        "DC/sa01.wav": ["sad", "saveeDC", "savee"],
        "OAF_back_ps.wav": ["surprise", "tessOAF", "tess"],
        "1001_DFA_ANG_YY.wav": ["", "", ""],
    }
    (tmp_path / "clips" / "DC").mkdir(parents=True)
    for name in names:
        shutil.copy(folder / "a.wav", tmp_path / "clips" / name)
    output = tmp_path / "f.parquet"
    arguments = ["features", str(tmp_path / "clips"), str(folder), "--labels", "corpora"]
    assert run([*arguments, "-o", str(output)]) == 0
    table = pd.read_parquet(output).set_index("path")
    for name, labels in names.items():
        row = table.loc[str(tmp_path / "clips" / name)]
        assert row[["emotion", "speaker", "corpus"]].tolist() == labels
    assert table.loc[str(folder / "a.wav"), "emotion"] == ""


def test_a_savee_folder_is_known_from_within(folder, tmp_path, monkeypatch):
    (tmp_path / "KL").mkdir()
    shutil.copy(folder / "a.wav", tmp_path / "KL" / "n03.wav")
    monkeypatch.chdir(tmp_path / "KL")
    assert run(["features", ".", "--labels", "corpora", "-o", "f.csv"]) == 0
    row = pd.read_csv("f.csv").iloc[0]
    assert row[["path", "emotion", "speaker", "corpus"]].tolist() == [
        "./n03.wav",
        "neutral",
        "saveeKL",
        "savee",
    ]


def test_frames_are_kept(folder, tmp_path):
    assert run(["features", str(folder), "--frames", "-o", str(tmp_path / "f.npz")]) == 0
    with np.load(tmp_path / "f.npz") as arrays:
        assert arrays[f"frames/mel/{folder / 'a.wav'}"].shape == (1 + 11025 // 512, 128)


def test_what_could_not_be_read_is_listed_and_told_by_the_status(folder, tmp_path, capsys):
    for i in range(12):
        (folder / f"bad{i:02} [x] \x1b.wav").write_text("no")
    assert run(["features", str(folder), "-o", str(tmp_path / "f.csv")]) == 1
    output = capsys.readouterr().out.splitlines()
    assert output[0].endswith("f.csv: 14 recordings: 2 ok, 12 unreadable")
    assert output[1].startswith(rf"  {folder}/bad00 [x] \x1b.wav: Format not recognised.")
    assert len(output) == 12
    assert output[-1] == "  and 2 more"
    assert len(pd.read_csv(tmp_path / "f.csv")) == 14


def test_silence_is_no_failure(folder, tmp_path, write_recording, capsys):
    write_recording("in/c.wav", "silence", 0.5)
    assert run(["features", str(folder), "-o", str(tmp_path / "f.csv")]) == 0
    assert "3 recordings: 2 ok, 1 silent" in capsys.readouterr().out


def test_a_table_is_replaced_only_when_asked(folder, tmp_path, capsys):
    output = tmp_path / "f.csv"
    output.write_text("mine")
    assert run(["features", str(folder), "-o", str(output)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert output.read_text() == "mine"
    assert run(["features", str(folder), "-o", str(output), "--overwrite"]) == 0
    assert output.read_text().startswith("path,status,reason,duration_s")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["in", "-o", "f.xlsx"], 2, ".xlsx is not one of .csv, .parquet, .npz"),
        (["in", "-o", "f.csv", "--frames"], 2, ".csv cannot hold frames"),
        (["gone", "-o", "f.csv"], 2, "gone: does not exist"),
        (["in"], 2, "Missing option '-o'"),
        (["-o", "f.csv"], 2, "no PATHS: give recordings"),
        (["in", "-o", "f.csv", "--set", "mine"], 2, "'mine' is not"),
        (["in", "-o", "gone/f.csv"], 3, "the folder gone does not exist"),
        (["nothing", "-o", "f.csv"], 3, "no recordings found"),
    ],
)
def test_what_cannot_be_done_is_told(
    folder, tmp_path, monkeypatch, capsys, arguments, status, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nothing").mkdir()
    assert run(["features", *arguments]) == status
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert sorted(os.listdir(tmp_path)) == ["in", "nothing"]


def test_help_has_an_example():
    result = CliRunner().invoke(cli, ["features", "--help"])
    assert result.exit_code == 0
    assert "serctl features ./calls --frames -o spectrograms.npz" in result.output


# Labels of folders and tables


def labels_of(output):
    table = pd.read_csv(output, keep_default_na=False).set_index("path")
    return table[["emotion", "speaker", "corpus"]].apply(tuple, axis=1).to_dict()


def test_folders_are_labels(folder, tmp_path, capsys, monkeypatch):
    for name in ("Joyful/x.wav", "Anger/anna/y.wav", "Anger/anna/sub/z.wav"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "a.wav", folder / name)
    monkeypatch.chdir(tmp_path)
    assert run(["features", "in", "--labels", "folders", "-o", "f.csv"]) == 0
    assert {path: found[0] for path, found in labels_of("f.csv").items()} == {
        "in/a.wav": "in",
        "in/b.flac": "in",
        "in/Joyful/x.wav": "Joyful",
        "in/Anger/anna/y.wav": "Anger",  # an emotion comes before a nearer folder
        "in/Anger/anna/sub/z.wav": "Anger",
    }


def test_a_table_has_labels_as_they_are(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labels.csv").write_text(
        "path,emotion,speaker,split\nin/a.wav,Bored to tears,s1,train\nin/c.wav,sad,s2,test\n"
    )
    shutil.copy(folder / "a.wav", folder / "c.wav")
    assert run(["features", "--labels", "labels.csv", "-o", "f.csv"]) == 0
    assert capsys.readouterr().out == "f.csv: 2 recordings: 2 ok\n"
    both = {"in/a.wav": ("Bored to tears", "s1", ""), "in/c.wav": ("sad", "s2", "")}
    assert labels_of("f.csv") == both
    arguments = ["features", "in", "--labels", "labels.csv", "-o", "f.csv", "--overwrite"]
    assert run(arguments) == 0
    assert capsys.readouterr().out.endswith("3 ok\nWithout a label: 1 recording.\n")
    assert labels_of("f.csv") == both | {"in/b.flac": ("", "", "")}


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (None, 2, "labels.csv: does not exist"),
        ("path,emotion\nin/gone.wav,sad\n", 3, "1 of 1 rows name files that are not there"),
        ("path,emotion\nin/a.wav,sad\nin/a.wav,happy\n", 3, "in/a.wav is sad (labels.csv, line 2)"),
    ],
)
def test_tables_that_cannot_be_used(
    folder, tmp_path, capsys, monkeypatch, content, status, message
):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "labels.csv").write_text(content)
    assert run(["features", "--labels", "labels.csv", "-o", "f.csv"]) == status
    assert message in capsys.readouterr().err
    assert not (tmp_path / "f.csv").exists()


def test_labels_from_elsewhere_are_refused(folder, capsys):
    assert run(["features", str(folder), "--labels", "mine", "-o", "f.csv"]) == 2
    assert "--labels mine: use corpora, folders or the path of a .csv file." in (
        capsys.readouterr().err
    )


# Sets


@pytest.mark.parametrize("name", ["embeddings.npz", "embeddings.parquet"])
def test_embeddings_are_written(folder, tmp_path, name):
    arguments = ["features", str(folder), "--set", "embedding", "-o", str(tmp_path / name)]
    assert run(arguments) == 0
    if name.endswith("npz"):
        with np.load(tmp_path / name) as arrays:
            assert arrays["embedding"].shape == (2, 2048)
            assert np.isfinite(arrays["embedding"]).all()
    else:
        table = pd.read_parquet(tmp_path / name)
        assert table.columns[-1] == "embedding_2048"
        assert table.notna().all(axis=None)


def test_prosody_is_written_and_what_is_not_known_is_empty(folder, write_recording, tmp_path):
    pytest.importorskip("parselmouth")
    write_recording("in/noise.wav", "noise", 0.5)
    write_recording("in/silence.wav", "silence", 0.5)
    arguments = ["features", str(folder), "--set", "prosody", "-o", str(tmp_path / "f.csv")]
    assert run(arguments) == 0
    table = pd.read_csv(tmp_path / "f.csv").set_index("path")
    assert table.loc[str(folder / "a.wav"), "pitch_hz_median"] == pytest.approx(120, rel=0.1)
    assert np.isnan(table.loc[str(folder / "noise.wav"), "shimmer_apq3"])
    assert table.loc[str(folder / "silence.wav"), "status"] == "silent"
    assert table.loc[str(folder / "silence.wav")].iloc[6:].isna().all()


def test_a_set_that_cannot_be_computed_is_refused_first(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("serctl.features.sets.PACKAGES", {"egemaps": ("nowhere", "it", "free")})
    assert run(["features", str(folder), "--set", "egemaps", "-o", "f.csv"]) == 3
    assert "needs the package it (licence: free)" in capsys.readouterr().err
    arguments = ["features", str(folder), "--set", "embedding", "--frames", "-o", "f.npz"]
    assert run(arguments) == 2
