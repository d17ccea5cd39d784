from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from support.simulated_corpora import EMOTIONS, Population, draw_corpus

from serctl.train.evaluation.scores import score
from serctl.train.evaluation.statistics.intervals import (
    NORMAL_QUANTILE,
    cautions,
    intervals_of,
)
from serctl.train.evaluation.statistics.speakers import (
    effective_speakers,
    jackknife_variance,
    score_interval,
    share_interval,
)

N_CORPORA = 500


@given(st.integers(0, 40), st.integers(1, 40))
def test_score_intervals_are_wilsons(n_right: int, n_clips: int) -> None:
    n_right = min(n_right, n_clips)
    expected = binomtest(n_right, n_clips).proportion_ci(method="wilson")
    assert score_interval(n_right / n_clips, n_clips, NORMAL_QUANTILE) == pytest.approx(
        [expected.low, expected.high], abs=1e-9
    )


def test_the_jackknife_of_a_mean_has_its_variance() -> None:
    values = np.random.default_rng(0).random(7)
    without = (values.sum() - values) / 6
    assert jackknife_variance(without, values.mean()) == pytest.approx(values.var(ddof=1) / 7)


def test_speakers_of_unequal_weight_are_fewer() -> None:
    assert effective_speakers(np.array([3, 3, 3])) == pytest.approx(3)
    assert effective_speakers(np.array([97, 1, 1, 1])) == pytest.approx(1.06, abs=0.01)


def test_one_speaker_has_no_interval_and_equal_ones_that_of_their_clips() -> None:
    assert share_interval(0.5, np.array([0.5]), np.array([9])) is None
    low, high = share_interval(1.0, np.ones(3), np.array([5, 5, 5])) or (0, 0)
    assert high == 1.0
    assert 0.3 < low < 0.6  # as of 15 clips, with t of two degrees of freedom


@pytest.mark.parametrize(
    "population",
    [
        Population(),
        Population(spread=0.5),
        Population(spread=1.0),
        Population(n_speakers=5),
        Population(logits=(3.0, 3.0, 2.5, 3.5, 3.0), n_clips=4),
    ],
    ids=["equal", "unequal", "very-unequal", "five", "few-errors"],
)
def test_intervals_over_speakers_hold_the_truth_as_often_as_they_say(
    population: Population,
) -> None:
    """Over clips they do not: those of one speaker are alike."""
    rng = np.random.default_rng(0)
    truth = population.recalls.mean()
    held = []
    for _ in range(N_CORPORA):
        corpus = draw_corpus(population, rng)
        both = intervals_of(corpus.references, corpus.first, corpus.speakers, EMOTIONS)
        low, high = both.speakers["ua"] or (1.0, 0.0)
        held.append(low <= truth <= high)
    assert 0.92 <= np.mean(held) <= 0.97


def test_intervals_over_clips_are_too_narrow_for_new_speakers() -> None:
    population = Population()
    rng = np.random.default_rng(0)
    held, widths = [], []
    for _ in range(50):
        corpus = draw_corpus(population, rng)
        no_corpora = [""] * len(corpus.references)
        scores = score(corpus.references, corpus.first, no_corpora, EMOTIONS)
        both = intervals_of(corpus.references, corpus.first, corpus.speakers, EMOTIONS)
        low, high = scores.intervals["ua"]
        held.append(low <= population.recalls.mean() <= high)
        over_speakers = both.speakers["ua"] or (0.0, 0.0)
        widths.append((high - low, over_speakers[1] - over_speakers[0]))
    assert np.mean(held) < 0.85
    assert np.median([wide / narrow for narrow, wide in widths]) > 1.5


def test_all_measures_and_emotions_have_intervals_around_their_values() -> None:
    corpus = draw_corpus(replace(Population(), n_clips=3), np.random.default_rng(0))
    no_corpora = [""] * len(corpus.references)
    scores = score(corpus.references, corpus.first, no_corpora, EMOTIONS)
    both = intervals_of(corpus.references, corpus.first, corpus.speakers, EMOTIONS)
    assert both.n_speakers == 10
    for name, interval in both.speakers.items():
        assert interval is not None
        assert interval[0] < getattr(scores, name) < interval[1]
    assert set(both.speakers) == {"wa", "ua", "macro_f1"}
    for emotion, one in scores.by_emotion.items():
        for intervals in (both.recall_clips, both.recall_speakers):
            low, high = intervals[emotion] or (1.0, 0.0)
            assert low < one["recall"] < high


@pytest.mark.parametrize("speakers", [["", "", ""], ["a", "b", ""]])
def test_without_speakers_there_are_intervals_over_clips_alone(speakers: list[str]) -> None:
    both = intervals_of(["sad", "sad", "angry"], ["sad", "angry", ""], speakers, EMOTIONS)
    assert (both.n_speakers, both.speakers, both.recall_speakers) == (0, {}, {})
    assert list(both.recall_clips) == ["angry", "sad"]


def test_what_one_speaker_alone_says_has_no_interval() -> None:
    references = ["sad", "sad", "angry", "sad", "angry", "fear"]
    speakers = ["a", "b", "a", "b", "b", "b"]
    both = intervals_of(references, references, speakers, EMOTIONS)
    assert both.speakers["ua"] is both.speakers["macro_f1"] is None
    assert both.speakers["wa"] is not None
    assert both.recall_speakers["fear"] is None
    assert both.recall_speakers["sad"] is not None
    assert "Of one speaker alone: fear (b)." in " ".join(cautions(references, speakers))


def test_cautions_name_what_is_few_and_who_weighs_much() -> None:
    references = ["sad"] * 100 + ["angry"] * 19
    speakers = [f"s{i % 10}" for i in range(119)]
    assert cautions(references, speakers) == [
        "Fewer than 20 clips of angry (19): the recall of so few says little. Label more."
    ]
    assert cautions(references[:100], [""] * 100) == []
    (said,) = cautions(["sad"] * 50 + ["angry"] * 50, ["a"] * 21 + [f"s{i % 9}" for i in range(79)])
    assert said.startswith("More than a fifth of all clips are of one speaker: a (21%).")
    (said,) = cautions(["sad"] * 100, ["a"] * 20 + [""] * 80)
    assert said.startswith("80 clips without a speaker: there are no intervals over speakers.")
