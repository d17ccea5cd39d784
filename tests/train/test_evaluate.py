from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from serctl.emotions import EMOTIONS, REPORT_FIVE
from serctl.errors import CorporaError, NothingFoundError, PathError, UsageError
from serctl.results import Result
from serctl.train.corpora import clip_table
from serctl.train.evaluate import LabelledRecordings, recordings_by_name, recordings_of_split
from serctl.train.splits import split_clips

SIX = (*REPORT_FIVE, "neutral")
ANGRY, SAD, NEUTRAL, SURPRISE = "DC_a01.wav", "DC_sa01.wav", "DC_n01.wav", "DC_su01.wav"
CALM = "03-01-02-01-01-01-01.wav"


def touch(root: Path, names: Iterable[str]) -> list[str]:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return [str(root)]


def stems(clips: LabelledRecordings) -> list[str]:
    return [Path(path).name for path in clips.paths]


# By name


def test_clips_are_known_by_their_names(tmp_path: Path) -> None:
    names = ["a/1001_DFA_ANG_XX.wav", "b/03-01-05-01-01-01-01.flac", "c/OAF_back_sad.wav"]
    clips = recordings_by_name(touch(tmp_path, [*names, f"d/{SAD}"]), REPORT_FIVE)
    assert clips.acted == ["angry", "angry", "sad", "sad"]
    assert clips.corpora == ["crema-d", "ravdess", "tess", "savee"]
    assert clips.paths == [str(tmp_path / name) for name in (*names, f"d/{SAD}")]
    assert clips.emotions == ("angry", "sad")
    assert (clips.n_left_out, clips.n_unknown) == (0, 0)


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    others = ["mine.wav", "03-02-02-01-01-01-01.wav", "1001_DFA_ANG_XX - Copy.wav"]
    paths = touch(tmp_path, [ANGRY, SAD, NEUTRAL, SURPRISE, CALM, *others])
    clips = recordings_by_name(paths, REPORT_FIVE)
    assert stems(clips) == [ANGRY, SAD]
    assert (clips.n_left_out, clips.n_unknown) == (3, 3)


def test_the_emotions_are_those_acted_in_the_models_order(tmp_path: Path) -> None:
    paths = touch(tmp_path, [ANGRY, SAD, NEUTRAL])
    assert recordings_by_name(paths, ("sad", "fear", "angry")).emotions == ("sad", "angry")


@pytest.mark.parametrize(
    ("known", "acted", "n_left_out"),
    [
        (SIX, {"angry": 1, "neutral": 2}, 0),
        (EMOTIONS, {"angry": 1, "neutral": 1, "calm": 1}, 0),
        (("angry", "calm"), {"angry": 1, "calm": 1}, 1),
        (("angry", "neutral"), {"angry": 1, "neutral": 2}, 0),
    ],
)
def test_calm_is_neutral_for_a_model_without_calm(
    tmp_path: Path, known: tuple[str, ...], acted: dict[str, int], n_left_out: int
) -> None:
    clips = recordings_by_name(touch(tmp_path, [ANGRY, NEUTRAL, CALM]), known)
    assert Counter(clips.acted) == acted
    assert clips.n_left_out == n_left_out


def test_the_folder_itself_may_name_the_speaker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, ["AudioData/DC/a01.wav", "AudioData/DC/sa01.wav"])
    monkeypatch.chdir(tmp_path / "AudioData" / "DC")
    clips = recordings_by_name(["."], REPORT_FIVE)
    assert clips.paths == ["./a01.wav", "./sa01.wav"]
    assert clips.acted == ["angry", "sad"]


def test_recordings_of_other_names_are_refused_with_an_example(tmp_path: Path) -> None:
    paths = touch(tmp_path, ["one.wav", "two.wav"])
    with pytest.raises(CorporaError, match=r"2 recordings, such as .*one\.wav, none with the name"):
        recordings_by_name(paths, REPORT_FIVE)


@pytest.mark.parametrize(
    ("names", "of_these"),
    [([ANGRY, NEUTRAL], "2 clips, .* only angry;"), ([SURPRISE], "1 clips, .* only none;")],
)
def test_fewer_than_two_emotions_cannot_be_scored(
    tmp_path: Path, names: list[str], of_these: str
) -> None:
    needed = "at least two of angry, disgust, fear, happy, sad are needed"
    with pytest.raises(CorporaError, match=f"{of_these} to score it, {needed}") as error:
        recordings_by_name(touch(tmp_path, names), REPORT_FIVE)
    assert str(error.value).startswith(str(tmp_path))


def test_paths_that_lead_nowhere_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PathError, match="nowhere"):
        recordings_by_name([str(tmp_path / "nowhere")], REPORT_FIVE)
    with pytest.raises(NothingFoundError, match=str(tmp_path)):
        recordings_by_name([str(tmp_path)], REPORT_FIVE)


# Of a split


def test_the_clips_of_a_split_are_its_test_part(small_corpora: Path) -> None:
    table = clip_table(small_corpora)
    table = table[table["emotion"].isin(REPORT_FIVE)].reset_index(drop=True)
    for split, fold, seed in (("new-speakers", 3, 0), ("report", 0, 5)):
        expected = table.iloc[split_clips(table, split, fold, seed).test]
        clips = recordings_of_split(str(small_corpora), split, fold, seed, REPORT_FIVE)
        assert clips.paths == expected["path"].tolist()
        assert clips.acted == expected["emotion"].tolist()
        assert clips.corpora == expected["corpus"].tolist()
        assert (clips.emotions, clips.n_left_out, clips.n_unknown) == (REPORT_FIVE, 0, 0)


def test_calm_is_neutral_in_a_split_too(small_corpora: Path) -> None:
    six = recordings_of_split(str(small_corpora), "new-speakers", 0, 0, SIX)
    all_eight = recordings_of_split(str(small_corpora), "new-speakers", 0, 0, EMOTIONS)
    counts = Counter(all_eight.acted)
    assert counts["calm"]
    assert six.emotions == SIX
    assert Counter(six.acted)["neutral"] == counts["neutral"] + counts["calm"]


def test_a_split_of_no_corpora_is_refused(small_corpora: Path, tmp_path: Path) -> None:
    with pytest.raises(CorporaError, match="no clip of the four corpora"):
        recordings_of_split(str(tmp_path), "report", 0, 0, REPORT_FIVE)
    with pytest.raises(UsageError, match="fold 7"):
        recordings_of_split(str(small_corpora), "new-speakers", 7, 0, REPORT_FIVE)


# Scores


def test_results_are_scored_in_their_order(tmp_path: Path) -> None:
    clips = recordings_by_name(touch(tmp_path, [ANGRY, "DC_a02.wav", SAD]), REPORT_FIVE)
    heard = Result(clips.paths[0], "ok", emotion="angry")
    results = [heard, Result(clips.paths[1], "silent"), replace(heard, emotion="angry")]
    scores = clips.score(results)
    assert (scores.n_clips, scores.n_unanswered) == (3, 1)
    assert scores.wa == pytest.approx(1 / 3)
    assert scores.ua == pytest.approx(1 / 4)
    assert scores.emotions == ("angry", "sad")


def test_fold_0_has_the_published_clips(fold0: Path) -> None:
    clips = recordings_by_name([str(fold0)], REPORT_FIVE)
    assert len(clips.paths) == 1805
    assert (clips.n_left_out, clips.n_unknown) == (2258 - 1805, 0)
    assert clips.emotions == REPORT_FIVE
    assert Counter(clips.corpora) == {"crema-d": 1330, "ravdess": 200, "savee": 75, "tess": 200}
