import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from serctl.errors import AudioError, CorporaError
from serctl.train.corpora.manifest import parse_clip_name
from serctl.train.robustness import robustness
from serctl.train.robustness.corruptions import CORRUPTIONS, Corruption
from serctl.train.robustness.robustness import ClipFolder, generator, measure

CLIPS = {  # one clip each of seven speakers, and a second one of the first
    "CREMA-D": ["1001_DFA_ANG_XX", "1001_DFA_SAD_XX", "1002_DFA_ANG_XX", "1003_DFA_FEA_XX"],
    "RAVDESS": ["03-01-03-01-01-01-01", "03-01-05-01-01-01-02"],
    "SAVEE": ["DC_a01"],
    "TESS": ["OAF_back_sad"],
}
WHITE, BABBLE = CORRUPTIONS[0], CORRUPTIONS[3]
AS_IT_IS = Corruption("as it is", lambda sound: sound.samples)


@pytest.fixture
def folder(tmp_path: Path, make_signal: Callable[..., np.ndarray]) -> Path:
    """Clips of noise and of a chirp, under names of the corpora."""
    root = tmp_path / "clips"
    for corpus, clips in CLIPS.items():
        (root / corpus).mkdir(parents=True)
        for i, clip in enumerate(clips):
            samples = make_signal(("noise", "chirp")[i % 2], 12000, 16000, seed=i)
            soundfile.write(root / corpus / f"{clip}.flac", samples, 16000)
    return root


def copies(folder: Path, corruption: Corruption) -> dict[str, bytes]:
    """Samples of every corrupted copy, by clip; a float WAV itself has the time in its header."""
    clips = ClipFolder(str(folder))
    found = {}
    for path in sorted(folder.rglob("*.flac")):
        copy = folder / "copy"
        clips.write_corrupted(str(path), corruption, 16000, copy)
        found[path.stem] = soundfile.read(copy)[0].tobytes()
        copy.unlink()
    return found


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda one: one.name)
def test_a_copy_is_the_same_whatever_the_order_and_the_folder(
    corruption: Corruption, folder: Path, tmp_path: Path
) -> None:
    before = copies(folder, corruption)
    assert len(before) == 8
    for i, path in enumerate(sorted(folder.rglob("*.flac"), reverse=True)):
        other = tmp_path / "elsewhere" / f"{i}" / path.name
        other.parent.mkdir(parents=True)
        path.rename(other)
    assert copies(tmp_path / "elsewhere", corruption) == before


def test_every_clip_and_condition_has_random_numbers_of_its_own() -> None:
    names = [parse_clip_name(f"{clip}.wav") for clips in CLIPS.values() for clip in clips]
    drawn = {
        generator(corruption.name, name).integers(2**62)
        for name in names
        if name is not None
        for corruption in CORRUPTIONS
    }
    assert len(drawn) == len(CORRUPTIONS) * 8


def test_babble_is_of_other_speakers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others: list[str] = []

    def listen(sound: robustness.Sound) -> np.ndarray:
        others.extend(path for paths in sound.others for path in paths)
        assert len(sound.others) == 6
        return sound.samples

    copies(folder, Corruption("who speaks", listen))
    assert sum("1001_DFA" in path for path in others) == 2 * 6
    assert sum("OAF_back" in path for path in others) == 7


def test_babble_needs_a_folder_of_several_speakers(folder: Path) -> None:
    for path in folder.rglob("*.flac"):
        if not path.name.startswith("1001"):
            path.unlink()
    with pytest.raises(CorporaError, match="Babble needs recordings of 6 speakers"):
        copies(folder, BABBLE)


def test_clips_that_are_not_changed_get_their_clean_answers(
    folder: Path, tiny_folder: Path
) -> None:
    found = measure(str(tiny_folder), str(folder), [AS_IT_IS])
    clean, same = found["rows"]
    assert clean == same | {"corruption": "clean"}
    assert clean["ua_drop"] == clean["wa_drop"] == 0.0


def test_rows_do_not_depend_on_the_threads(folder: Path, tiny_folder: Path) -> None:
    shown: list[str] = []
    one = measure(str(tiny_folder), str(folder), [WHITE, BABBLE], 1, shown.append)
    assert measure(str(tiny_folder), str(folder), [WHITE, BABBLE], 5) == one
    assert shown == [row["corruption"] for row in one["rows"]] == ["clean", WHITE.name, BABBLE.name]
    assert json.loads(json.dumps(one)) == one


def test_a_row_has_its_drop_and_what_got_no_answer(folder: Path, tiny_folder: Path) -> None:
    silence = Corruption("silence", lambda sound: 0 * sound.samples)
    found = measure(str(tiny_folder), str(folder), [silence])
    clean, row = found["rows"]
    assert found["n_clips"] == row["n_without_prediction"] == 8
    assert clean["n_without_prediction"] == 0
    assert clean["ua"] > 0  # or this test says nothing
    assert (row["ua"], row["wa"]) == (0, 0)
    assert row["ua_drop"] == pytest.approx(100 * clean["ua"])
    assert row["wa_drop"] == pytest.approx(100 * clean["wa"])
    assert found["emotions"] == ["angry", "fear", "happy", "sad"]
    assert found["model"] == "tiny"


def test_a_clip_that_cannot_be_read_stops_it_by_name(folder: Path, tiny_folder: Path) -> None:
    path = folder / "TESS" / "OAF_back_sad.flac"
    path.write_bytes(b"no sound")
    with pytest.raises(AudioError, match="OAF_back_sad"):
        measure(str(tiny_folder), str(folder), [WHITE])


def test_the_command_writes_json_and_a_table(
    folder: Path, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    output = tmp_path / "robustness.json"
    arguments = ["robustness", str(tiny_folder), str(folder), "-o", str(output)]
    monkeypatch.setattr("sys.argv", arguments)
    robustness.main()
    found = json.loads(output.read_text(encoding="utf-8"))
    assert [row["corruption"] for row in found["rows"]] == ["clean", *(c.name for c in CORRUPTIONS)]
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 15
    for row, line in zip(found["rows"], printed, strict=True):
        assert line.startswith(row["corruption"])
        assert f"UA {row['ua']:.1%}" in line


def test_the_command_says_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["robustness", "nothing", str(tmp_path)])
    with pytest.raises(SystemExit, match="Error: nothing: not available, and not a folder"):
        robustness.main()


@pytest.mark.parametrize(
    ("known", "emotion"),
    [(("angry", "neutral"), "neutral"), (("angry", "neutral", "calm"), "calm"), (("sad",), None)],
)
def test_calm_is_neutral_for_a_model_without_calm(
    tmp_path: Path, known: tuple[str, ...], emotion: str | None
) -> None:
    (tmp_path / "03-01-02-01-01-01-01.wav").touch()
    clips = ClipFolder(str(tmp_path)).known_clips(known)
    assert [clip[0] for clip in clips.values()] == ([emotion] if emotion else [])


def test_a_folder_without_clips_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.wav").touch()
    with pytest.raises(CorporaError, match="no clip of the four corpora below it; 1 audio files"):
        ClipFolder(str(tmp_path))
