"""How often 95% intervals hold the truth, on simulated corpora (``just coverage``).

Usage: python tests/measure_coverage.py [CORPORA]

For each kind of corpus: over clips, over speakers as serctl has it, and over speakers by a percentile
bootstrap, for comparison; of UA, of one emotion's recall, and of the difference of two models.
"""

import sys
from dataclasses import replace

import numpy as np

sys.path.insert(0, "tests")
from support.simulated_corpora import EMOTIONS, Corpus, Population, draw_corpus

from serctl.train.evaluation.scores import count_clips, measure, score
from serctl.train.evaluation.statistics.comparison import compare
from serctl.train.evaluation.statistics.intervals import intervals_of

USUAL = Population()
KINDS = {
    "10 speakers": USUAL,
    "10 speakers of unequal weight": replace(USUAL, spread=0.5),
    "10 speakers of very unequal weight": replace(USUAL, spread=1.0),
    "10 speakers who are alike": replace(USUAL, by_speaker=0.0, by_cell=0.0),
    "10 speakers, four clips each, 95% right": replace(
        USUAL, logits=(3.0, 3.0, 2.5, 3.5, 3.0), n_clips=4
    ),
    "5 speakers": replace(USUAL, n_speakers=5),
    "30 speakers": replace(USUAL, n_speakers=30),
}
MEASURED = (
    "UA, clips",
    "UA, speakers",
    "UA, bootstrap",
    "recall, clips",
    "recall, speakers",
    "difference, clips",
    "difference, speakers",
)
GAIN = 0.5  # of the second model, in logits


def main() -> None:
    """Print a table of shares."""
    n_corpora = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    print("| corpora |", " | ".join(MEASURED), "|")
    print("| --- |", " | ".join("---" for _ in MEASURED), "|")
    for name, population in KINDS.items():
        rng = np.random.default_rng(0)
        held = [holds(draw_corpus(population, rng, GAIN), population) for _ in range(n_corpora)]
        shares = " | ".join(f"{share:.1%}" for share in np.mean(held, axis=0))
        print(f"| {name} | {shares} |", flush=True)


def holds(corpus: Corpus, population: Population) -> list[bool]:
    """Whether each interval of `MEASURED` holds the truth."""
    references, speakers = corpus.references, corpus.speakers
    better = replace(population, logits=tuple(one + GAIN for one in population.logits))
    ua, recall = population.recalls.mean(), population.recalls[-1]
    gain = better.recalls.mean() - ua
    both = intervals_of(references, corpus.first, speakers, EMOTIONS)
    scores = score(references, corpus.first, [""] * len(references), EMOTIONS)
    compared = compare(("a", "b"), references, (corpus.first, corpus.second), speakers)
    last = EMOTIONS[-1]
    intervals = (
        (scores.intervals["ua"], ua),
        (both.speakers["ua"], ua),
        (bootstrap(corpus), ua),
        (both.recall_clips[last], recall),
        (both.recall_speakers[last], recall),
        (compared.clips, gain),
        (compared.speakers, gain),
    )
    return [interval[0] <= truth <= interval[1] for interval, truth in intervals]


def bootstrap(corpus: Corpus, n_resamples: int = 1000) -> list[float]:
    """Percentile bootstrap of UA over speakers."""
    table = count_clips(corpus.references, corpus.first, EMOTIONS, corpus.speakers)
    draw = np.random.default_rng(0).multinomial
    weights = draw(len(table), np.full(len(table), 1 / len(table)), n_resamples)
    return np.quantile(measure(np.tensordot(weights, table, 1))["ua"], [0.025, 0.975]).tolist()


if __name__ == "__main__":
    main()
