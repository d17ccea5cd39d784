import json
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics
from sklearn.calibration import calibration_curve

from serctl.emotions import REPORT_FIVE
from serctl.train.evaluation.scores import Scores, calibration, score

Clip = tuple[str, str, str]  # references, predictions, corpus

CLIPS = st.lists(
    st.tuples(
        st.sampled_from(REPORT_FIVE),
        st.sampled_from([*REPORT_FIVE, ""]),
        st.sampled_from(["tess", "crema-d", "savee"]),
    ),
    min_size=1,
    max_size=60,
)


def columns(clips: Sequence[Clip]) -> tuple[list[str], list[str], list[str]]:
    references, predictions, corpora = (list(column) for column in zip(*clips, strict=True))
    return references, predictions, corpora


def balanced_accuracy(references: list[str], predictions: list[str]) -> float:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "y_pred contains classes not in y_true")
        warnings.filterwarnings("ignore", "A single label was found")
        return metrics.balanced_accuracy_score(references, predictions)


@settings(deadline=None)
@given(CLIPS)
def test_scores_are_those_of_scikit_learn(clips: list[Clip]) -> None:
    references, predictions, corpora = columns(clips)
    scores = score(references, predictions, corpora, REPORT_FIVE)
    assert scores.wa == pytest.approx(metrics.accuracy_score(references, predictions))
    assert scores.ua == pytest.approx(balanced_accuracy(references, predictions))
    # Without the row and column of no prediction.
    confusion = metrics.confusion_matrix(references, predictions, labels=[*REPORT_FIVE, ""])
    assert scores.confusion == confusion[:5, :5].tolist()
    assert list(scores.by_emotion) == [one for one in REPORT_FIVE if one in references]
    labels = list(scores.by_emotion)
    for name, function in (
        ("recall", metrics.recall_score),
        ("precision", metrics.precision_score),
        ("f1", metrics.f1_score),
    ):
        expected = function(references, predictions, labels=labels, average=None, zero_division=0)
        found = [one[name] for one in scores.by_emotion.values()]
        assert found == pytest.approx(expected.tolist())
    macro_f1 = metrics.f1_score(
        references, predictions, labels=labels, average="macro", zero_division=0
    )
    assert scores.macro_f1 == pytest.approx(macro_f1)


@settings(deadline=None)
@given(CLIPS)
def test_corpora_and_speakers_are_scored_as_if_alone(clips: list[Clip]) -> None:
    references, predictions, corpora = columns(clips)
    scores = score(references, predictions, corpora, REPORT_FIVE, corpora)
    assert list(scores.by_corpus) == list(dict.fromkeys(corpus for _, _, corpus in clips))
    assert scores.by_speaker == scores.by_corpus
    assert score(references, predictions, corpora, REPORT_FIVE).by_speaker == {}
    for corpus, found in scores.by_corpus.items():
        alone = score(*columns([clip for clip in clips if clip[2] == corpus]), REPORT_FIVE)
        assert found["n_clips"] == alone.n_clips
        assert found["wa"] == pytest.approx(alone.wa)
        assert found["ua"] == pytest.approx(alone.ua)


@settings(deadline=None)
@given(CLIPS)
def test_counts_add_up(clips: list[Clip]) -> None:
    scores = score(*columns(clips), REPORT_FIVE)
    assert scores.n_clips == len(clips)
    assert np.sum(scores.confusion) + scores.n_without_prediction == len(clips)
    for counts in (scores.by_emotion, scores.by_corpus):
        assert sum(one["n_clips"] for one in counts.values()) == len(clips)


@settings(deadline=None)
@given(CLIPS, st.data())
def test_no_answer_counts_as_wrong(clips: list[Clip], data: st.DataObject) -> None:
    references, predictions, corpora = columns(clips)
    right = [i for i in range(len(clips)) if references[i] == predictions[i]]
    if not right:
        return
    before = score(references, predictions, corpora, REPORT_FIVE)
    silenced = data.draw(st.sampled_from(right))
    predictions[silenced] = ""
    after = score(references, predictions, corpora, REPORT_FIVE)
    assert after.n_without_prediction == before.n_without_prediction + 1
    assert after.n_clips == before.n_clips
    assert after.wa == pytest.approx(before.wa - 1 / len(clips))
    assert after.ua < before.ua
    assert after.by_corpus[corpora[silenced]]["ua"] < before.by_corpus[corpora[silenced]]["ua"]


def test_a_worked_example() -> None:
    references = ["angry", "angry", "angry", "sad", "sad"]
    predictions = ["angry", "sad", "", "sad", "sad"]
    scores = score(references, predictions, ["tess"] * 3 + ["savee"] * 2, ("angry", "happy", "sad"))
    assert scores.confusion == [[1, 0, 1], [0, 0, 0], [0, 0, 2]]
    assert scores.n_without_prediction == 1
    assert scores.wa == pytest.approx(3 / 5)
    assert scores.ua == pytest.approx((1 / 3 + 1) / 2)  # happy was never references
    assert scores.by_emotion == {
        "angry": {"n_clips": 3, "recall": pytest.approx(1 / 3), "precision": 1.0, "f1": 0.5},
        "sad": {"n_clips": 2, "recall": 1.0, "precision": pytest.approx(2 / 3), "f1": 0.8},
    }
    assert scores.macro_f1 == pytest.approx(0.65)
    assert scores.by_corpus == {
        "tess": {"n_clips": 3, "wa": pytest.approx(1 / 3), "ua": pytest.approx(1 / 3)},
        "savee": {"n_clips": 2, "wa": 1.0, "ua": 1.0},
    }


def test_groups_without_a_name_are_left_out() -> None:
    references = ["angry", "sad", "sad"]
    scores = score(references, references, ["", "tess", ""], REPORT_FIVE, ["", "", ""])
    assert scores.by_corpus == {"tess": {"n_clips": 1, "wa": 1.0, "ua": 1.0}}
    assert scores.by_speaker == {}


# Intervals


def resampled(clips: Sequence[Clip], n_resamples: int) -> dict[str, NDArray[np.float64]]:
    """WA, UA and macro F1 of clips drawn anew, one after another."""
    draw = np.random.default_rng(7)
    drawn: list[Scores] = []
    for _ in range(n_resamples):
        chosen = draw.integers(0, len(clips), len(clips))
        drawn.append(score(*columns([clips[i] for i in chosen]), REPORT_FIVE))
    return {
        name: np.array([getattr(one, name) for one in drawn]) for name in ("wa", "ua", "macro_f1")
    }


def many_clips(n_clips: int, share_right: float) -> list[Clip]:
    """Clips of the five emotions, a few without a prediction, and fewer of each emotion in turn."""
    draw = np.random.default_rng(3)
    references = draw.choice(REPORT_FIVE, n_clips, p=np.array([5, 4, 3, 2, 1]) / 15)
    guessed = draw.choice([*REPORT_FIVE, ""], n_clips)
    predictions = np.where(draw.random(n_clips) < share_right, references, guessed)
    return [(str(a), str(b), "tess") for a, b in zip(references, predictions, strict=True)]


def test_intervals_are_those_of_clips_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    clips = many_clips(300, 0.4)
    scores = score(*columns(clips), REPORT_FIVE)
    monkeypatch.setattr(
        "serctl.train.evaluation.scores.N_RESAMPLES", 1
    )  # those of the drawn ones are unused
    for name, values in resampled(clips, 1500).items():
        expected = np.quantile(values, [0.025, 0.975])
        # Two bootstraps differ by chance: of each quantile, by about a twentieth of the width.
        assert scores.intervals[name] == pytest.approx(expected, abs=0.15 * np.ptp(expected))
        low, high = scores.intervals[name]
        assert low < getattr(scores, name) < high


@settings(deadline=None, max_examples=20)
@given(CLIPS, st.randoms(use_true_random=False))
def test_scores_do_not_depend_on_the_order_of_clips(clips: list[Clip], shuffle: object) -> None:
    before = score(*columns(clips), REPORT_FIVE)
    shuffle.shuffle(clips)  # type: ignore[attr-defined]
    after = score(*columns(clips), REPORT_FIVE)
    assert after.intervals == before.intervals
    assert after.confusion == before.confusion
    for low, high in before.intervals.values():
        assert 0 <= low <= high <= 1


def test_more_clips_are_surer() -> None:
    widths = [
        np.ptp(score(*columns(many_clips(n_clips, 0.5)), REPORT_FIVE).intervals["ua"])
        for n_clips in (100, 400, 6400)
    ]
    assert widths[0] > 1.5 * widths[1] > 4 * widths[2]


def test_all_right_is_all_there_is() -> None:
    references = list(REPORT_FIVE) * 3
    scores = score(references, references, ["tess"] * 15, REPORT_FIVE)
    assert scores.intervals == {"wa": [1, 1], "ua": [1, 1], "macro_f1": [1, 1]}


def test_many_clips_are_scored_quickly() -> None:
    clips = columns(many_clips(20_000, 0.5))
    began = time.perf_counter()
    score(*clips, REPORT_FIVE, [str(i % 91) for i in range(20_000)])
    assert time.perf_counter() - began < 5


# Calibration


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return shares


@pytest.mark.parametrize("sharpness", [0.0, 0.3, 2.0, 200.0])
@pytest.mark.parametrize("n_emotions", [2, 5])
def test_calibration_is_that_of_scikit_learn(sharpness: float, n_emotions: int) -> None:
    draw = np.random.default_rng(5)
    emotions = REPORT_FIVE[:n_emotions]
    probabilities = softmax(sharpness * draw.standard_normal((400, n_emotions)))
    references = [str(one) for one in draw.choice(emotions, 400)]
    found = calibration(probabilities, references, emotions)
    ordered = sorted(emotions)  # as scikit-learn wants its columns
    columns_of = [emotions.index(emotion) for emotion in ordered]
    expected = metrics.brier_score_loss(
        references, probabilities[:, columns_of], labels=ordered, scale_by_half=False
    )
    assert found.brier == pytest.approx(expected)
    confidence = probabilities.max(axis=1)
    right = [
        emotions[i] == a for i, a in zip(probabilities.argmax(axis=1), references, strict=True)
    ]
    accuracies, confidences = calibration_curve(right, confidence, n_bins=15)
    filled = [one for one in found.bins if one["n_clips"]]
    assert [one["accuracy"] for one in filled] == pytest.approx(accuracies.tolist())
    assert [one["confidence"] for one in filled] == pytest.approx(confidences.tolist())
    weights = [one["n_clips"] for one in filled]
    assert sum(weights) == found.n_clips == 400
    assert found.ece == pytest.approx(np.average(np.abs(accuracies - confidences), weights=weights))
    assert found.accuracy == pytest.approx(np.mean(right))
    assert found.confidence == pytest.approx(confidence.mean())


def test_calibration_by_hand() -> None:
    probabilities = np.array([[0.8, 0.2], [0.8, 0.2], [0.4, 0.6], [1.0, 0.0]])
    found = calibration(probabilities, ["angry", "sad", "sad", "angry"], ("angry", "sad"))
    assert found.brier == pytest.approx((2 * 0.04 + 2 * 0.64 + 2 * 0.16 + 0) / 4)
    assert found.brier_uniform == 0.5
    assert found.ece == pytest.approx((2 * abs(0.8 - 0.5) + abs(0.6 - 1) + 0) / 4)
    assert [one["n_clips"] for one in found.bins] == [0] * 8 + [1, 0, 0, 2, 0, 0, 1]
    assert found.bins[11] == {
        "low": pytest.approx(11 / 15),
        "high": pytest.approx(0.8),
        "n_clips": 2,
        "confidence": pytest.approx(0.8),
        "accuracy": 0.5,
    }
    assert found.bins[0]["confidence"] is found.bins[0]["accuracy"] is None


def test_knowing_nothing_gives_the_brier_score_of_uniform_probabilities() -> None:
    found = calibration(np.full((10, 5), 0.2), list(REPORT_FIVE) * 2, REPORT_FIVE)
    assert found.brier == pytest.approx(found.brier_uniform) == pytest.approx(0.8)
    assert found.ece == pytest.approx(0)


def test_everything_is_kept_as_json() -> None:
    references = ["angry", "sad"]
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3]], np.float32)
    for found in (
        score(references, ["angry", "angry"], ["tess", ""], ("angry", "sad"), ["a", "b"]),
        calibration(probabilities, references, ("angry", "sad")),
    ):
        again = json.loads(json.dumps(asdict(found), allow_nan=False))
        if "emotions" in again:
            again["emotions"] = tuple(again["emotions"])
        assert again == asdict(found)


def test_lists_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="argument 3 is longer"):
        score(["angry"], ["angry"], ["tess"], REPORT_FIVE, ["one", "two"])
    with pytest.raises(ValueError, match="argument 3 is shorter"):
        score(["angry", "sad"], ["angry"], ["tess", "tess"], REPORT_FIVE)
