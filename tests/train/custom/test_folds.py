from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from serctl.errors import LabelsError
from serctl.train.custom.folds import MAX_FOLDS, choose_folds, warnings_of
from serctl.train.custom.recordings import OwnRecordings
from serctl.train.evaluation.labels import Labelled


def own(*rows: tuple[str, str, str]) -> OwnRecordings:
    """Recordings of path, label and speaker."""
    recordings = [Labelled(path, label, path, speaker) for path, label, speaker in rows]
    return OwnRecordings("data", recordings, "names" if any(row[2] for row in rows) else "")


def by_speaker(speakers: str, n_each: int = 10, labels: str = "xy") -> OwnRecordings:
    return own(
        *(
            (f"{label}/{who}{'abcdefghijklmnopqrstuvwxyz'[i]}.wav", label, who)
            for label in labels
            for who in speakers
            for i in range(n_each)
        )
    )


def test_few_speakers_are_a_fold_each():
    recordings = by_speaker("pqr")
    folds = choose_folds(recordings)
    assert str(folds) == "3 folds, one speaker each"
    assert [one.speaker for one in recordings.recordings] == ["pqr"[i] for i in folds.fold_of]


def test_many_speakers_share_folds_and_none_is_in_two():
    recordings = by_speaker("abcdefghijklmnopqrstuvwx", n_each=3, labels="xyz")
    folds = choose_folds(recordings)
    assert str(folds) == "10 folds of 24 speakers, each speaker in one of them"
    of_speaker = {
        (one.speaker, fold) for one, fold in zip(recordings.recordings, folds.fold_of, strict=True)
    }
    assert len(of_speaker) == 24
    counts = Counter(folds.fold_of.tolist())
    assert set(counts) == set(range(MAX_FOLDS))
    assert max(counts.values()) - min(counts.values()) <= 9  # one speaker


def test_labels_that_speakers_do_not_share_are_in_all_folds():
    # Sex: every speaker has one label.
    rows = [
        (f"{who}{i}.wav", "male" if ord(who) % 2 else "female", who)
        for who in "abcdefghijklmnopqrstuvwx"
        for i in range(4)
    ]
    recordings = own(*rows)
    folds = choose_folds(recordings)
    assert folds.by == "speaker"
    for fold in range(folds.n_folds):
        tested = folds.fold_of == fold
        labels = {
            one.name for one, inside in zip(recordings.recordings, tested, strict=True) if inside
        }
        assert labels == {"male", "female"}


def test_a_label_of_one_speaker_cannot_be_split_by_speaker():
    rows = [(f"{who}/{letter}.wav", "x", who) for who in "pq" for letter in "abcde"]
    rows += [(f"p/y{letter}.wav", "y", "p") for letter in "abcde"]
    recordings = own(*rows)
    folds = choose_folds(recordings)
    assert folds.by == "file"
    (warning,) = (one for one in warnings_of(recordings, folds) if "not by speaker" in one)
    assert "one speaker alone has all recordings of y" in warning


def test_without_speakers_the_folders_are_kept_together():
    rows = [
        (f"{day}/{label}{'abc'[i]}.wav", label, "")
        for day in "pqr"
        for label in "xy"
        for i in range(3)
    ]
    recordings = own(*rows)
    folds = choose_folds(recordings)
    assert str(folds) == "3 folds, one folder each"
    assert warnings_of(recordings, folds)[-1].startswith(
        "Speakers are not known, and the folds are"
    )


def test_pieces_of_a_recording_are_kept_together():
    rows = [
        (f"{label}/{name}_{i:03d}.wav", label, "")
        for label in ("x", "y")
        for name in ("talk", "call", "walk")
        for i in range(4)
    ]
    recordings = own(*rows)
    folds = choose_folds(recordings)
    assert (folds.by, folds.n_groups, folds.n_folds) == ("recording", 6, 6)
    assert not any("differ only by a number" in one for one in warnings_of(recordings, folds))


@pytest.mark.parametrize(
    "end", ["_1", " (2)", "-003", "_part2", ".seg10", "_12.5-15.0", "_3_4", "clip7", "_0.0s"]
)
def test_endings_of_pieces(end):
    rows = [
        (f"{label}/{name}{tail}.wav", label, "")
        for label in "xy"
        for name in ("m", "n")
        for tail in ("_90", end)
    ]
    assert choose_folds(own(*rows)).n_groups == 4


def test_pieces_that_must_stand_on_both_sides_are_warned_of():
    rows = [(f"{label}/{label}_{i}.wav", label, "") for label in ("low", "high") for i in range(20)]
    recordings = own(*rows)
    folds = choose_folds(recordings)
    assert (folds.by, folds.n_folds) == ("file", MAX_FOLDS)
    (warning,) = (one for one in warnings_of(recordings, folds) if "differ only" in one)
    assert warning.startswith(
        "The names of 20 files differ only by a number (low_0.wav, low_1.wav)."
    )


def test_the_folds_of_a_table_are_taken():
    recordings = by_speaker("pqrs")
    of_speaker = dict(zip("pqrs", ("1", "1", "2", "2"), strict=True))
    given = [replace(one, fold=of_speaker[one.speaker]) for one in recordings.recordings]
    folds = choose_folds(replace(recordings, recordings=given))
    assert str(folds) == "2 folds, as the column fold has them"
    assert np.bincount(folds.fold_of).tolist() == [40, 40]


def test_a_speaker_in_all_folds_is_refused():
    recordings = by_speaker("pq")
    given = [replace(one, fold=str(i % 3)) for i, one in enumerate(recordings.recordings)]
    message = "2 of 2 speakers are in several folds, such as p in 0, 1, 2"
    with pytest.raises(LabelsError, match=message):
        choose_folds(replace(recordings, recordings=given))


@pytest.mark.parametrize(
    ("folds", "message"),
    [(("1", "1"), "one fold alone"), (("1", ""), "10 rows without a fold in its column fold")],
)
def test_folds_that_are_not_whole_are_refused(folds, message):
    recordings = by_speaker("pq", labels="x")
    given = [replace(one, fold=folds[one.speaker == "q"]) for one in recordings.recordings]
    with pytest.raises(LabelsError, match=message):
        choose_folds(replace(recordings, recordings=given))


def test_few_recordings_few_speakers_and_one_that_dominates_are_warned_of():
    rows = [(f"{label}{i}.wav", label, "p") for label in "xy" for i in range(10)]
    rows += [(f"{who}{label}.wav", label, who) for label in "xy" for who in "qr"]
    warnings = warnings_of(own(*rows), choose_folds(own(*rows)))
    assert warnings[0] == "Fewer than 20 recordings of x (12), y (12): the figures are uncertain."
    assert warnings[1].startswith("Only 3 speakers: ")
    assert warnings[2].startswith("Speaker p has 20 of 24 recordings: ")
    assert warnings[3].startswith("Speaker p has 10 of 12 recordings of x: ")


def test_many_recordings_of_many_speakers_need_no_warning():
    recordings = by_speaker("pqrstu")
    assert warnings_of(recordings, choose_folds(recordings)) == []


def test_recordings_without_a_speaker_among_others_are_warned_of():
    recordings = by_speaker("pqrstu")
    some = [
        replace(one, speaker="") if i == 5 else one for i, one in enumerate(recordings.recordings)
    ]
    found = replace(recordings, recordings=some)
    (warning,) = warnings_of(found, choose_folds(found))
    assert warning.startswith("1 of 120 recordings have no speaker")
