from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from serctl.emotions import EMOTIONS, REPORT_FIVE
from serctl.errors import CorporaError, LabelsError, RunError, UsageError
from serctl.results.schema import Result
from serctl.train.corpora.manifest import clip_table
from serctl.train.corpora.splits import split_clips
from serctl.train.evaluation.label_names import EmotionNames, parse_map
from serctl.train.evaluation.labelled import (
    LabelledRecordings,
    known_recordings,
    recordings_of_split,
)
from serctl.train.evaluation.labels import Labelled, Labels, labels_of_folders, labels_of_names

SIX = (*REPORT_FIVE, "neutral")
ANGRY, SAD, NEUTRAL, SURPRISE = "DC_a01.wav", "DC_sa01.wav", "DC_n01.wav", "DC_su01.wav"
CALM = "03-01-02-01-01-01-01.wav"

Known = Callable[..., LabelledRecordings]


@pytest.fixture
def by_name() -> Known:
    """Recordings that a model of some emotions can be scored on, by the names of its clips."""

    def by_name(
        paths: list[str],
        known: tuple[str, ...] = REPORT_FIVE,
        chosen: tuple[str, ...] = (),
        pairs: tuple[str, ...] = (),
    ) -> LabelledRecordings:
        return known_recordings(labels_of_names(paths), parse_map(pairs), known, chosen, "tiny")

    return by_name


def touch(root: Path, names: Iterable[str]) -> list[str]:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return [str(root)]


def stems(clips: LabelledRecordings) -> list[str]:
    return [Path(path).name for path in clips.paths]


# By name


def test_clips_are_known_by_their_names(by_name: Known, tmp_path: Path) -> None:
    names = ["a/1001_DFA_ANG_XX.wav", "b/03-01-05-01-01-01-01.flac", "c/OAF_back_sad.wav"]
    clips = by_name(touch(tmp_path, [*names, f"d/{SAD}", "male2_sad_1a_1.wav"]))
    assert clips.references == ["angry", "angry", "sad", "sad", "sad"]
    assert clips.corpora == ["crema-d", "ravdess", "tess", "savee", "jl-corpus"]
    assert clips.speakers == ["crema1001", "ravdess01", "tessOAF", "saveeDC", "male2"]
    assert clips.paths[:4] == [str(tmp_path / name) for name in (*names, f"d/{SAD}")]
    assert clips.emotions == ("angry", "sad")
    assert (clips.left_out, clips.notes, clips.warnings) == ({}, [], [])


def test_what_is_left_out_is_counted_and_said(by_name: Known, tmp_path: Path) -> None:
    others = ["mine.wav", "03-02-02-01-01-01-01.wav", "1001_DFA_ANG_XX - Copy.wav"]
    paths = touch(tmp_path, [ANGRY, SAD, NEUTRAL, SURPRISE, "DC_su02.wav", CALM, *others])
    clips = by_name(paths)
    assert sorted(stems(clips)) == [ANGRY, SAD]
    assert clips.left_out == {
        "not named like a clip of a corpus that serctl knows": 3,
        "tiny does not know their emotions (2 surprise, 1 calm, 1 neutral)": 4,
    }
    assert clips.notes == [
        "tiny has no calm, neutral, surprise: it names one of its own emotions for such "
        "recordings, and is not scored on them."
    ]


def test_the_emotions_are_those_of_the_labels_in_the_models_order(
    by_name: Known, tmp_path: Path
) -> None:
    paths = touch(tmp_path, [ANGRY, SAD, NEUTRAL])
    assert by_name(paths, ("sad", "fear", "angry")).emotions == ("sad", "angry")


def test_chosen_emotions_restrict_the_recordings_and_the_model(
    by_name: Known, tmp_path: Path
) -> None:
    paths = touch(tmp_path, [ANGRY, SAD, NEUTRAL, "DC_h01.wav", "DC_h02.wav"])
    clips = by_name(paths, SIX, ("angry", "disgust", "sad"))
    assert stems(clips) == [ANGRY, SAD]
    assert clips.emotions == ("angry", "disgust", "sad")  # also what nobody references
    assert clips.left_out == {"--emotions leaves out theirs (2 happy, 1 neutral)": 3}
    assert clips.notes == []


@pytest.mark.parametrize(
    ("known", "references", "n_left_out"),
    [
        (SIX, {"angry": 1, "neutral": 2}, 0),
        (EMOTIONS, {"angry": 1, "neutral": 1, "calm": 1}, 0),
        (("angry", "calm"), {"angry": 1, "calm": 1}, 1),
        (("angry", "neutral"), {"angry": 1, "neutral": 2}, 0),
    ],
)
def test_calm_is_neutral_for_a_model_without_calm(
    by_name: Known,
    tmp_path: Path,
    known: tuple[str, ...],
    references: dict[str, int],
    n_left_out: int,
) -> None:
    clips = by_name(touch(tmp_path, [ANGRY, NEUTRAL, CALM]), known)
    assert Counter(clips.references) == references
    assert sum(clips.left_out.values()) == n_left_out
    is_said = "Counted: calm as neutral (1)." in clips.notes
    assert is_said == (references.get("neutral") == 2)


def test_the_folder_itself_may_name_the_speaker(
    by_name: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, ["AudioData/DC/a01.wav", "AudioData/DC/sa01.wav"])
    monkeypatch.chdir(tmp_path / "AudioData" / "DC")
    clips = by_name(["."])
    assert clips.paths == ["./a01.wav", "./sa01.wav"]
    assert clips.references == ["angry", "sad"]


def test_identical_trees_are_counted_once(by_name: Known, tmp_path: Path) -> None:
    touch(tmp_path / "one", [ANGRY, SAD])
    touch(tmp_path / "two" / "DC", ["a01.flac", "sa01.flac", "sa02.flac"])
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    clips = by_name([one, two, one, f"{two}/DC"])
    assert stems(clips) == [ANGRY, SAD, "sa02.flac"]
    assert clips.left_out == {"copies, which count once": 2}


def test_the_map_goes_for_clip_names_too(by_name: Known, tmp_path: Path) -> None:
    paths = touch(tmp_path, [ANGRY, SAD, SURPRISE, "male1_excited_1a_1.wav"])
    pairs = ("excited=happy", "surprise=-", "joy=happy")
    clips = by_name(paths, REPORT_FIVE, (), pairs)
    assert sorted(clips.references) == ["angry", "happy", "sad"]
    assert clips.left_out == {"--map leaves them out": 1}
    assert clips.notes == ["Counted: excited as happy (1)."]
    assert clips.warnings == ["--map names joy, and no label is so named."]
    assert by_name(paths).left_out == {
        "tiny does not know their emotions (1 surprise, 1 excited)": 2
    }


@pytest.mark.parametrize(
    ("names", "of_these"),
    [
        ([ANGRY, NEUTRAL], "1 clip of the emotions to choose between, only angry;"),
        ([SURPRISE], "0 clips of the emotions to choose between, only none;"),
        ([ANGRY, "DC_a02.wav"], "2 clips of .*, only angry;"),
    ],
)
def test_fewer_than_two_emotions_cannot_be_scored(
    by_name: Known, tmp_path: Path, names: list[str], of_these: str
) -> None:
    needed = "at least two of angry, disgust, fear, happy, sad are needed"
    with pytest.raises(LabelsError, match=f"{of_these} to score a model, {needed}") as error:
        by_name(touch(tmp_path, names))
    assert str(error.value).startswith(str(tmp_path))
    left_out = "Left out: 1: tiny does not know their emotions" in str(error.value)
    assert left_out == (names[-1] in (NEUTRAL, SURPRISE))


def test_one_of_the_chosen_emotions_cannot_be_scored(by_name: Known, tmp_path: Path) -> None:
    paths = touch(tmp_path, [ANGRY, SAD])
    with pytest.raises(
        LabelsError, match=r"only sad; .* two of happy, sad are needed\. Left out: 1"
    ):
        by_name(paths, REPORT_FIVE, ("happy", "sad"))


# Of any source


def labelled(*recordings: tuple[str, str]) -> Labels:
    """Labels of recordings, given as the key and the label of each, a line each."""
    return Labels(
        "labels.csv",
        [
            Labelled(f"{key}.wav", name, key, where=f"labels.csv, line {i}")
            for i, (key, name) in enumerate(recordings, 2)
        ],
    )


def test_a_recording_has_one_label() -> None:
    labels = labelled(("a", "anger"), ("b", "sad"), ("a", "angry"), ("b", "SAD"))
    clips = known_recordings(labels, EmotionNames(), REPORT_FIVE)
    assert clips.references == ["angry", "sad"]
    assert clips.left_out == {"copies, which count once": 2}
    labels = labelled(("a", "anger"), ("b", "sad"), ("a", "fear"))
    with pytest.raises(LabelsError) as error:
        known_recordings(labels, EmotionNames(), REPORT_FIVE)
    assert str(error.value) == (
        "labels.csv: 1 recording with two labels: a.wav is anger (labels.csv, line 2) and fear "
        "(labels.csv, line 4). Keep the one that is right."
    )


def test_many_contradictions_are_cut_short() -> None:
    twice = [(f"{i}", name) for name in ("angry", "sad") for i in range(200)]
    with pytest.raises(
        LabelsError, match=r"200 recordings with two labels: .*; and 197 more\. Keep"
    ) as e:
        known_recordings(labelled(*twice), EmotionNames(), REPORT_FIVE)
    assert len(str(e.value)) < 500


def test_a_file_linked_from_two_folders_has_two_labels(tmp_path: Path) -> None:
    paths = touch(tmp_path, ["angry/a.wav", "sad/b.wav"])
    (tmp_path / "sad" / "link.wav").symlink_to(tmp_path / "angry" / "a.wav")
    labels = labels_of_folders(paths, EmotionNames())
    with pytest.raises(LabelsError, match=r"1 recording with two labels: .*angry/a\.wav is angry"):
        known_recordings(labels, EmotionNames(), REPORT_FIVE)


def test_speakers_of_two_corpora_are_kept_apart() -> None:
    names, speakers = ("angry", "sad", "sad"), (("1", "x"), ("1", "y"), ("", "y"))
    recordings = [
        Labelled(f"{i}.wav", name, str(i), speaker, corpus)
        for i, (name, (speaker, corpus)) in enumerate(zip(names, speakers, strict=True))
    ]
    clips = known_recordings(Labels("x", recordings), EmotionNames(), REPORT_FIVE)
    assert clips.speakers == ["x/1", "y/1", ""]
    clips = known_recordings(
        Labels("x", [*recordings[1:], replace(recordings[0], speaker="2")]),
        EmotionNames(),
        REPORT_FIVE,
    )
    assert clips.speakers == ["1", "", "2"]


# Of a split


def test_the_clips_of_a_split_are_its_test_part(small_corpora: Path) -> None:
    table = clip_table(small_corpora)
    table = table[table["emotion"].isin(REPORT_FIVE)].reset_index(drop=True)
    for split, fold, seed in (("new-speakers", 3, 0), ("report", 0, 5)):
        expected = table.iloc[split_clips(table, split, fold, seed).test]
        clips = recordings_of_split(str(small_corpora), split, fold, seed, REPORT_FIVE)
        assert clips.paths == expected["path"].tolist()
        assert clips.references == expected["emotion"].tolist()
        assert clips.corpora == expected["corpus"].tolist()
        assert clips.speakers == expected["speaker"].tolist()
        assert set(clips.folds) == {"3" if split == "new-speakers" else ""}
        assert clips.emotions == REPORT_FIVE
        whole = clip_table(small_corpora)
        n_tested = len(split_clips(whole, split, fold, seed).test) if fold else len(expected)
        assert sum(clips.left_out.values()) == n_tested - len(expected)
        assert bool(clips.left_out) == (split == "new-speakers")


def test_calm_is_neutral_in_a_split_too(small_corpora: Path) -> None:
    six = recordings_of_split(str(small_corpora), "new-speakers", 0, 0, SIX)
    all_eight = recordings_of_split(str(small_corpora), "new-speakers", 0, 0, EMOTIONS)
    counts = Counter(all_eight.references)
    assert counts["calm"]
    assert six.emotions == SIX
    assert Counter(six.references)["neutral"] == counts["neutral"] + counts["calm"]


def test_a_split_may_be_restricted(small_corpora: Path) -> None:
    arguments = (str(small_corpora), "new-speakers", 0, 0, REPORT_FIVE)
    whole = recordings_of_split(*arguments)
    two = recordings_of_split(*arguments, ("angry", "sad"))
    assert two.emotions == ("angry", "sad")
    kept = [i for i, emotion in enumerate(whole.references) if emotion in ("angry", "sad")]
    assert two.paths == [whole.paths[i] for i in kept]
    n_left_out = {reason: n for reason, n in two.left_out.items() if "--emotions" in reason}
    assert list(n_left_out.values()) == [len(whole.paths) - len(two.paths)]


def test_a_split_of_no_corpora_is_refused(small_corpora: Path, tmp_path: Path) -> None:
    with pytest.raises(CorporaError, match="no clip of the four corpora"):
        recordings_of_split(str(tmp_path), "report", 0, 0, REPORT_FIVE)
    with pytest.raises(UsageError, match="fold 7"):
        recordings_of_split(str(small_corpora), "new-speakers", 7, 0, REPORT_FIVE)


# Scores


def test_results_are_scored_in_their_order(by_name: Known, tmp_path: Path) -> None:
    clips = by_name(touch(tmp_path, [ANGRY, "DC_a02.wav", SAD]))
    predicted = Result(clips.paths[0], "ok", emotion="angry", probabilities=(0.75, 0.25))
    results = [predicted, Result(clips.paths[1], "silent"), replace(predicted, emotion="angry")]
    scores = clips.score(results)
    assert (scores.n_clips, scores.n_without_prediction) == (3, 1)
    assert scores.wa == pytest.approx(1 / 3)
    assert scores.ua == pytest.approx(1 / 4)
    assert scores.emotions == ("angry", "sad")
    assert scores.by_speaker == {"saveeDC": {"n_clips": 3, "wa": scores.wa, "ua": scores.ua}}
    calibration = clips.calibration(results)
    assert calibration.n_clips == 2
    assert calibration.brier == pytest.approx((2 * 0.0625 + 2 * 0.5625) / 2)


def test_without_any_answer_there_is_nothing_to_score(by_name: Known, tmp_path: Path) -> None:
    clips = by_name(touch(tmp_path, [ANGRY, SAD, "DC_sa02.wav"]))
    bad = Result(clips.paths[0], "unreadable", "Format not recognised.")
    results = [bad, bad, Result(clips.paths[2], "silent", "All zero.")]
    with pytest.raises(
        RunError, match=r"none of 3 recordings has a prediction \(2 unreadable, 1 si"
    ) as e:
        clips.calibration(results)
    assert f"such as {clips.paths[0]}: Format not recognised." in str(e.value)


def test_fold_0_has_the_published_clips(by_name: Known, fold0: Path) -> None:
    clips = by_name([str(fold0), f"{fold0}/CREMA-D"])
    assert len(clips.paths) == 1805
    assert list(clips.left_out.values()) == [2258 - 1805]
    assert clips.emotions == REPORT_FIVE
    assert Counter(clips.corpora) == {"crema-d": 1330, "ravdess": 200, "savee": 75, "tess": 200}
