import warnings
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from serctl.emotions import REPORT_FIVE
from serctl.train.scores import score

Clip = tuple[str, str, str]  # acted, answered, corpus

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
    acted, answered, corpora = (list(column) for column in zip(*clips, strict=True))
    return acted, answered, corpora


def balanced_accuracy(acted: list[str], answered: list[str]) -> float:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "y_pred contains classes not in y_true")
        warnings.filterwarnings("ignore", "A single label was found")
        return metrics.balanced_accuracy_score(acted, answered)


@settings(deadline=None)
@given(CLIPS)
def test_scores_are_those_of_scikit_learn(clips: list[Clip]) -> None:
    acted, answered, corpora = columns(clips)
    scores = score(acted, answered, corpora, REPORT_FIVE)
    assert scores.wa == pytest.approx(metrics.accuracy_score(acted, answered))
    assert scores.ua == pytest.approx(balanced_accuracy(acted, answered))
    # The row and column of no answer are left out.
    confusion = metrics.confusion_matrix(acted, answered, labels=[*REPORT_FIVE, ""])
    assert scores.confusion == confusion[:5, :5].tolist()
    assert list(scores.by_emotion) == [one for one in REPORT_FIVE if one in acted]
    labels = list(scores.by_emotion)
    for name, function in (
        ("recall", metrics.recall_score),
        ("precision", metrics.precision_score),
    ):
        expected = function(acted, answered, labels=labels, average=None, zero_division=0)
        found = [one[name] for one in scores.by_emotion.values()]
        assert found == pytest.approx(expected.tolist())


@settings(deadline=None)
@given(CLIPS)
def test_corpora_are_scored_as_if_alone(clips: list[Clip]) -> None:
    scores = score(*columns(clips), REPORT_FIVE)
    assert list(scores.by_corpus) == list(dict.fromkeys(corpus for _, _, corpus in clips))
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
    assert np.sum(scores.confusion) + scores.n_unanswered == len(clips)
    for counts in (scores.by_emotion, scores.by_corpus):
        assert sum(one["n_clips"] for one in counts.values()) == len(clips)


@settings(deadline=None)
@given(CLIPS, st.data())
def test_no_answer_counts_as_wrong(clips: list[Clip], data: st.DataObject) -> None:
    acted, answered, corpora = columns(clips)
    right = [i for i in range(len(clips)) if acted[i] == answered[i]]
    if not right:
        return
    before = score(acted, answered, corpora, REPORT_FIVE)
    silenced = data.draw(st.sampled_from(right))
    answered[silenced] = ""
    after = score(acted, answered, corpora, REPORT_FIVE)
    assert after.n_unanswered == before.n_unanswered + 1
    assert after.n_clips == before.n_clips
    assert after.wa == pytest.approx(before.wa - 1 / len(clips))
    assert after.ua < before.ua
    assert after.by_corpus[corpora[silenced]]["ua"] < before.by_corpus[corpora[silenced]]["ua"]


def test_a_worked_example() -> None:
    acted = ["angry", "angry", "angry", "sad", "sad"]
    answered = ["angry", "sad", "", "sad", "sad"]
    scores = score(acted, answered, ["tess"] * 3 + ["savee"] * 2, ("angry", "happy", "sad"))
    assert scores.confusion == [[1, 0, 1], [0, 0, 0], [0, 0, 2]]
    assert scores.n_unanswered == 1
    assert scores.wa == pytest.approx(3 / 5)
    assert scores.ua == pytest.approx((1 / 3 + 1) / 2)  # happy was never acted
    assert scores.by_emotion == {
        "angry": {"n_clips": 3, "recall": pytest.approx(1 / 3), "precision": 1.0},
        "sad": {"n_clips": 2, "recall": 1.0, "precision": pytest.approx(2 / 3)},
    }
    assert scores.by_corpus == {
        "tess": {"n_clips": 3, "wa": pytest.approx(1 / 3), "ua": pytest.approx(1 / 3)},
        "savee": {"n_clips": 2, "wa": 1.0, "ua": 1.0},
    }


def test_lists_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        score(["angry", "sad"], ["angry"], ["tess", "tess"], REPORT_FIVE)
