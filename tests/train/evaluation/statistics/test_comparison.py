import numpy as np
import pytest
from scipy import stats
from support.simulated_corpora import Corpus, Population, draw_corpus

from serctl.train.evaluation.statistics.comparison import Difference, compare

N_CORPORA = 500


def difference(corpus: Corpus) -> Difference:
    both = (corpus.first, corpus.second)
    return compare(("a", "b"), corpus.references, both, corpus.speakers)


def test_the_difference_is_that_of_both_ua() -> None:
    corpus = draw_corpus(Population(), np.random.default_rng(0), gain=0.5)
    one = difference(corpus)
    truth = np.array(corpus.references)

    def ua(predictions: list[str]) -> float:
        right = np.array(predictions) == truth
        return float(np.mean([right[truth == emotion].mean() for emotion in set(truth)]))

    assert (one.first, one.second) == ("a", "b")
    assert one.ua == pytest.approx(ua(corpus.second) - ua(corpus.first))
    first, second = (np.array(x) == truth for x in (corpus.first, corpus.second))
    assert one.only_first == (first & ~second).sum()
    assert one.only_second == (second & ~first).sum()
    n_differ = one.only_first + one.only_second
    assert one.p_mcnemar == pytest.approx(
        min(1, 2 * stats.binom.cdf(min(one.only_first, one.only_second), n_differ, 0.5))
    )


def test_over_equal_speakers_it_is_the_paired_t_test() -> None:
    corpus = draw_corpus(Population(), np.random.default_rng(1), gain=0.2)
    truth, speakers = np.array(corpus.references), np.array(corpus.speakers)
    by_speaker = [
        [np.mean((np.array(x) == truth)[speakers == one]) for one in dict.fromkeys(corpus.speakers)]
        for x in (corpus.second, corpus.first)
    ]
    expected = stats.ttest_rel(*by_speaker)
    interval = expected.confidence_interval()
    one = difference(corpus)
    assert one.p_speakers == pytest.approx(expected.pvalue)
    assert one.speakers == pytest.approx([interval.low, interval.high])


@pytest.mark.parametrize("spread", [0.0, 0.5], ids=["equal", "unequal"])
def test_intervals_hold_the_truth_and_p_is_small_as_often_as_it_says(spread: float) -> None:
    rng = np.random.default_rng(0)
    compared = [difference(draw_corpus(Population(spread=spread), rng)) for _ in range(N_CORPORA)]
    held = [low <= 0 <= high for low, high in (one.speakers or (1, 0) for one in compared)]
    assert 0.92 <= np.mean(held) <= 0.97
    assert [one.p_speakers > 0.05 for one in compared if one.p_speakers is not None] == held


def test_the_same_predictions_do_not_differ() -> None:
    references, speakers = ["sad", "sad", "angry", "angry"], ["a", "b", "a", "b"]
    one = compare(("a", "b"), references, (references, references), speakers)
    assert (one.ua, one.clips, one.p_clips, one.speakers) == (0, [0, 0], 1, [0, 0])
    assert (one.p_speakers, one.p_mcnemar) == (1, 1)


def test_what_cannot_be_known_is_not_said() -> None:
    references, none = ["sad", "sad", "angry", "angry"], [""] * 4
    wrong = ["angry", "angry", "sad", ""]
    all_gained = compare(("a", "b"), references, (wrong, references), none)
    assert (all_gained.ua, all_gained.clips, all_gained.p_clips) == (1, None, None)
    assert (all_gained.speakers, all_gained.p_speakers) == (None, None)
    assert all_gained.p_mcnemar == 0.125
    one_alone = compare(("a", "b"), references, (wrong, references), ["a", "a", "a", "b"])
    assert one_alone.speakers is None  # b has no clip of sad
