from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from support.synthetic_results import CNN, SVM, synthetic_summary, write_results

from serctl.train.documents.figures import (
    draw_comparison,
    draw_figures,
    draw_learning_curves,
    write_figures,
)
from serctl.train.documents.measurements import RESULTS
from serctl.train.evaluation.scores import calibration

BOTH = {"paper-svm": SVM, "cnn": CNN}


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def bars(figure: Figure) -> dict[str, list[float]]:
    """Lengths of bars by what they are labelled."""
    return {
        str(group.get_label()): [bar.get_width() for bar in group]
        for group in figure.axes[0].containers
    }


def test_bars_are_the_means_of_both_protocols_beside_the_report() -> None:
    found = bars(draw_comparison(BOTH))
    assert found["in the report"] == [0.38, 0.43, 0.62, 0.72]
    assert found["ours, as the report splits"] == pytest.approx([0.45, 0.85])
    assert found["ours, on new speakers"] == pytest.approx([0.40, 0.70])


def test_dots_are_the_runs() -> None:
    lines = draw_comparison(BOTH).axes[0].lines
    dots = [np.asarray(line.get_xdata()) for line in lines if line.get_marker() == "o"]
    runs = [run.round(9).tolist() for run in dots if len(run)]  # the legend's has none
    expected = [[0.40, 0.45, 0.50], [0.80, 0.85, 0.90], [0.4] * 5, [0.60, 0.65, 0.70, 0.75, 0.80]]
    assert runs == expected


def test_bars_are_labelled_and_axes_have_units() -> None:
    said = texts(draw_comparison(BOTH))
    assert {"38%", "43%", "62%", "72%", "45.0%", "85.0%", "40.0%", "70.0%"} <= set(said)
    assert {"chance: 20%", "linear SVM\npaper-svm", "CNN on spectrograms\ncnn"} <= set(said)
    assert "accuracy over five emotions (ours: unweighted, UA)" in said


def test_without_results_the_report_stands_alone() -> None:
    figure = draw_comparison({})
    assert bars(figure)["in the report"] == [0.38, 0.43, 0.62, 0.72]
    assert "CNN on spectrograms\ncnn" not in texts(figure)


def test_a_protocol_that_was_measured_in_part_says_so() -> None:
    part = synthetic_summary([0.5, 0.6], "")
    figures = draw_figures({"paper-svm": {"new-speakers": part}})
    assert "55.0% (2 of 5 folds)" in texts(figures["comparison"])
    said = texts(figures["paper-svm-new-speakers-precision-recall"])
    assert "paper-svm, new speakers, 2 of 5 folds" in said


def test_bars_do_not_overlap() -> None:
    spans = [
        (bar.get_y(), bar.get_y() + bar.get_height())
        for group in draw_comparison(BOTH).axes[0].containers
        for bar in group
    ]
    spans.sort()
    for (_, top), (bottom, _) in pairwise(spans):
        assert top <= bottom + 1e-9


def test_learning_curves_are_those_that_were_kept() -> None:
    figure = draw_learning_curves(BOTH)
    assert figure is not None
    losses, accuracy = figure.axes
    for axes, key in ((losses, "validation_loss"), (accuracy, "validation_accuracy")):
        curves = {line.get_label(): line for line in axes.lines if len(line.get_xdata()) > 1}
        assert list(curves) == ["paper-svm", "cnn"]
        for model, line in curves.items():
            (curve,) = BOTH[model]["report"]["runs"][0]["curves"]
            assert list(line.get_ydata()) == curve[key]
            assert line.get_xdata().tolist() == [1, 2, 3, 4]
        assert len({line.get_linestyle() for line in curves.values()}) == 2
        kept = [line for line in axes.lines if line.get_marker() == "o" and len(line.get_xdata())]
        assert [line.get_xdata() for line in kept] == [[3], [3]]  # the third is kept
    assert {"epoch", "accuracy", "cross-entropy / nat", "epoch that is kept"} <= set(texts(figure))


def test_networks_that_learn_apart_have_a_curve_each() -> None:
    first, *others = CNN["report"]["runs"]
    runs = [{**first, "curves": first["curves"] * 3}, *others]
    figure = draw_learning_curves({"cnn": {**CNN, "report": {**CNN["report"], "runs": runs}}})
    assert figure is not None
    for axes in figure.axes:
        lines = [line for line in axes.lines if len(line.get_xdata()) > 1]
        assert [line.get_xdata().tolist() for line in lines] == [[1, 2, 3, 4]] * 3
        assert lines[0].get_label() == "cnn, each of 3 networks"
        kept = [line for line in axes.lines if line.get_marker() == "o" and len(line.get_xdata())]
        assert [line.get_xdata() for line in kept] == [[3]] * 3
    assert texts(figure).count("cnn, each of 3 networks") == 1


def test_a_model_without_epochs_has_no_curve() -> None:
    runs = [{**run} for run in SVM["report"]["runs"]]
    del runs[0]["curves"]
    without = {**SVM, "report": {**SVM["report"], "runs": runs}}
    assert draw_learning_curves({"paper-svm": without}) is None
    figure = draw_learning_curves({"paper-svm": without, "cnn": CNN})
    assert figure is not None
    assert "paper-svm" not in texts(figure)


def test_every_model_is_drawn_by_emotion() -> None:
    figures = draw_figures(BOTH)
    assert list(figures) == [
        "comparison",
        "learning-curves",
        *(
            f"{model}-{name}"
            for model in BOTH
            for name in (
                "report-accuracy",
                "new-speakers-precision-recall",
                "new-speakers-confusion",
            )
        ),
    ]
    # Over the clips of all runs together: 80 of each emotion in each.
    assert {"paper-svm, report split, all seeds", "angry\n240", "45.0%"} <= set(
        texts(figures["paper-svm-report-accuracy"])
    )
    assert {"cnn, new speakers, all folds", "neutral\n400", "60%"} <= set(
        texts(figures["cnn-new-speakers-precision-recall"])
    )
    assert "60%\n240" in texts(figures["cnn-new-speakers-confusion"])


def test_confidence_is_drawn_where_it_was_measured() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4]])
    measured = asdict(calibration(probabilities, ["angry", "sad"], ["angry", "sad"]))
    found = draw_figures({"cnn": CNN | {"calibration": {"before": {}, "after": measured}}})
    figure = found["cnn-new-speakers-reliability"]
    assert any("cnn, new speakers, all folds\nECE 35.0%" in text for text in texts(figure))


def test_figures_are_written_from_the_results_alone(tmp_path: Path) -> None:
    write_results(tmp_path, cnn={"report": CNN["report"]})
    written = write_figures(tmp_path)
    names = ("comparison", "learning-curves", "cnn-report-accuracy")
    assert written == [
        tmp_path / RESULTS / f"{name}{extension}"
        for name in names
        for extension in (".png", ".svg")
    ]
    for path in written[::2]:
        grey = matplotlib.image.imread(path)[..., :3] @ [0.299, 0.587, 0.114]
        assert 0.003 < np.mean(grey < 0.5) < 0.5
        for edge in (grey[0], grey[-1], grey[:, 0], grey[:, -1]):
            assert (edge > 0.99).all()


def test_what_cannot_be_drawn_is_left_out() -> None:
    assert list(draw_figures({})) == ["comparison"]
    assert list(draw_figures({"paper-cnn": {}})) == ["comparison"]
