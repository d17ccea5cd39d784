from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.simulated_corpora import EMOTIONS, Population, draw_corpus

from serctl.models.config import ModelConfig
from serctl.results.schema import Result
from serctl.train.evaluation.labelled import LabelledRecordings
from serctl.train.evaluation.record import Evaluation, evaluation_of
from serctl.train.evaluation.statistics.comparison import compare
from serctl.train.evaluation.statistics.figure import comparison_figures, write_comparison


@pytest.mark.parametrize("with_speakers", [True, False])
def test_a_comparison_is_drawn(
    tiny_config: ModelConfig, tmp_path: Path, with_speakers: bool
) -> None:
    corpus = draw_corpus(replace(Population(), n_clips=2), np.random.default_rng(0), gain=1.0)
    nobody = [""] * len(corpus.references)
    clips = LabelledRecordings(
        "x",
        nobody,
        corpus.references,
        nobody,
        corpus.speakers if with_speakers else nobody,
        EMOTIONS,
    )

    def evaluated(name: str, predictions: list[str]) -> Evaluation:
        results = [
            Result("", "ok", emotion=one, probabilities=tuple(float(one == e) for e in EMOTIONS))
            for one in predictions
        ]
        return evaluation_of(name, tiny_config, clips, results)

    both = [evaluated("$first$", corpus.first), evaluated("n" * 64, corpus.second)]
    names = (both[0].name, both[1].name)
    pairs = (both[0].predictions, both[1].predictions)
    difference = compare(names, clips.references, pairs, clips.speakers)
    write_comparison(both, [difference], tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(comparison_figures(tmp_path))
    drawn = (tmp_path / "comparison.svg").read_text()
    assert "<!-- $first$ -->" in drawn
    assert f"<!-- {100 * difference.ua:+.1f} -->" in drawn
    assert ("<!-- over speakers -->" in drawn) == with_speakers
