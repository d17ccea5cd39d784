from itertools import pairwise
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from serctl.emotions import EMOTIONS
from serctl.train.evaluation import figures
from serctl.train.evaluation.figures import (
    confusion_matrix,
    draw_accuracy,
    draw_confusion_matrix,
    draw_precision_recall,
    draw_reliability,
    draw_scores,
    learning_curve,
    score_figures,
)
from serctl.train.evaluation.history import Epoch, History
from serctl.train.evaluation.scores import Calibration, Scores, calibration, score


def history(n_epochs: int) -> History:
    epochs = [Epoch(1.5 / (i + 1), 1.2 + 0.01 * i, 0.3 + 0.1 * (i % 3)) for i in range(n_epochs)]
    return History(epochs, best_epoch=min(2, n_epochs - 1))


def scores(n_emotions: int) -> Scores:
    emotions = EMOTIONS[:n_emotions]
    references = [emotion for emotion in emotions for _ in range(10)]
    predictions = [*references[1:], ""]
    return score(references, predictions, ["tess"] * len(references), emotions)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Figures in the order of their drawing."""
    made: list[Figure] = []

    class Kept(Figure):
        def __init__(self, **options: object) -> None:
            super().__init__(**options)
            made.append(self)

    monkeypatch.setattr(figures, "Figure", Kept)
    return made


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible()]


def check_image(path: Path, figure: Figure) -> None:
    """An image of the figure's size, with ink on it, all of it inside and in distinct greys."""
    pixels = matplotlib.image.imread(path)
    assert pixels.shape[:2] == tuple((figure.get_size_inches()[::-1] * figures.DPI).round())
    grey = pixels[..., :3] @ [0.299, 0.587, 0.114]
    assert 0.005 < np.mean(grey < 0.5) < 0.5
    assert len(np.unique(grey.round(2))) > 10
    for edge in (grey[0], grey[-1], grey[:, 0], grey[:, -1]):
        assert (edge > 0.99).all()


@pytest.mark.parametrize("n_epochs", [1, 2, 40])
def test_the_learning_curve_is_drawn(tmp_path: Path, drawn: list[Figure], n_epochs: int) -> None:
    path = tmp_path / "curve.png"
    learning_curve([history(n_epochs)], "paper-cnn, report split, seed 1", path)
    (figure,) = drawn
    check_image(path, figure)
    losses, accuracy = figure.axes
    epochs = np.arange(1, n_epochs + 1)
    training, validation = losses.lines
    for line, expected in (
        (training, [epoch.train_loss for epoch in history(n_epochs).epochs]),
        (validation, [epoch.validation_loss for epoch in history(n_epochs).epochs]),
        (accuracy.lines[0], [epoch.validation_accuracy for epoch in history(n_epochs).epochs]),
    ):
        assert np.array_equal(line.get_xdata(), epochs)
        assert np.array_equal(line.get_ydata(), expected)
    assert training.get_linestyle() != validation.get_linestyle()
    if n_epochs == 1:
        assert training.get_marker() == validation.get_marker() == "."


def test_the_epoch_that_is_kept_is_marked(tmp_path: Path, drawn: list[Figure]) -> None:
    learning_curve([history(10)], "title", tmp_path / "curve.png")
    kept = drawn[0].axes[1].lines[1]
    assert (list(kept.get_xdata()), list(kept.get_ydata())) == ([3], [0.5])
    assert "epoch 3, 50.0%" in texts(drawn[0])


def test_networks_that_learn_apart_have_a_curve_each(tmp_path: Path, drawn: list[Figure]) -> None:
    path = tmp_path / "curve.png"
    learning_curve([history(8), history(5), history(8)], "cnn, report split, seed 1", path)
    (figure,) = drawn
    check_image(path, figure)
    losses, accuracy = figure.axes
    assert [len(line.get_xdata()) for line in losses.lines] == [8, 8, 5, 5, 8, 8]
    assert len({line.get_color() for line in losses.lines}) == 3
    assert {"training", "validation"} < set(texts(figure))
    assert [list(line.get_xdata()) for line in accuracy.lines[1::2]] == [[3]] * 3
    assert {f"network {i}: epoch 3, 50.0%" for i in (1, 2, 3)} < set(texts(figure))


def test_axes_have_units_and_whole_epochs(tmp_path: Path, drawn: list[Figure]) -> None:
    for n_epochs in (1, 3, 40):
        learning_curve(
            [history(n_epochs)], "paper-cnn, report split, seed 1", tmp_path / "curve.png"
        )
        said = texts(drawn[-1])
        assert {"paper-cnn, report split, seed 1", "epoch", "accuracy"} <= set(said)
        assert "cross-entropy / nat" in said
        assert any(text.endswith("%") for text in said)
        ticks = drawn[-1].axes[0].get_xticks()
        assert ticks.tolist() == [int(tick) for tick in ticks]


@pytest.mark.parametrize("n_emotions", [2, 5, 8])
def test_the_confusion_matrix_is_drawn(
    tmp_path: Path, drawn: list[Figure], n_emotions: int
) -> None:
    path = tmp_path / "matrix.png"
    confusion_matrix(scores(n_emotions), "paper-cnn, new-speakers split, fold 0", path)
    (figure,) = drawn
    check_image(path, figure)
    said = texts(figure)
    assert {*EMOTIONS[:n_emotions], "reference", "predicted"} <= set(said)


def test_the_cells_are_shares_of_all_clips_of_an_emotion(
    tmp_path: Path, drawn: list[Figure]
) -> None:
    found = scores(2)
    assert found.confusion == [[9, 1], [0, 9]]
    assert found.n_without_prediction == 1
    confusion_matrix(found, "title", tmp_path / "matrix.png")
    cells = [text.get_text() for text in drawn[0].axes[0].texts]
    # Nine of ten sad clips, though the tenth got no prediction: the diagonal is the recall.
    assert cells == ["90%\n9", "10%\n1", "0%\n0", "90%\n9"]
    assert drawn[0].axes[0].get_title() == "title\nWA 90.0%, UA 90.0%"


def test_an_emotion_without_references_is_an_empty_row(tmp_path: Path, drawn: list[Figure]) -> None:
    found = score(["angry", "sad"], ["angry", "sad"], ["tess"] * 2, ("angry", "happy", "sad"))
    confusion_matrix(found, "title", tmp_path / "matrix.png")
    cells = [text.get_text() for text in drawn[0].axes[0].texts]
    assert cells[3:6] == ["0%\n0"] * 3


# Figures of scores


def calibrated(n_emotions: int) -> Calibration:
    draw = np.random.default_rng(1)
    raised = np.exp(2 * draw.standard_normal((200, n_emotions)))
    references = [str(one) for one in draw.choice(EMOTIONS[:n_emotions], 200)]
    shares = raised / raised.sum(axis=1, keepdims=True)
    return calibration(shares, references, EMOTIONS[:n_emotions])


@pytest.mark.parametrize("n_emotions", [2, 5, 8])
def test_scores_are_drawn_as_png_and_svg(
    tmp_path: Path, drawn: list[Figure], n_emotions: int
) -> None:
    title = "a $model$, 50 clips"
    draw_scores(scores(n_emotions), calibrated(n_emotions), title, tmp_path)
    assert len(drawn) == 4
    assert sorted(tmp_path.iterdir()) == sorted(score_figures(tmp_path))
    for figure, path in zip(drawn, score_figures(tmp_path)[::2], strict=True):
        check_image(path, figure)
        said = texts(figure)
        assert any(text.startswith(title) for text in said)  # not taken for mathematics
        assert any(text.endswith("%") for text in said)
        check_apart(figure)


def check_apart(figure: Figure) -> None:
    """No name of an emotion reaches into the next one."""
    for axes in figure.axes:
        labels = [label for label in axes.get_xticklabels() if label.get_rotation() == 0]
        boxes = [label.get_window_extent() for label in labels if label.get_text()]
        assert all(a.x1 < b.x0 for a, b in pairwise(boxes))


def test_the_same_scores_give_the_same_files(tmp_path: Path) -> None:
    contents = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        draw_scores(scores(5), calibrated(5), "title", tmp_path / name)
        contents.append([path.read_bytes() for path in score_figures(tmp_path / name)])
    assert contents[0] == contents[1]


def heights(figure: Figure) -> list[float]:
    return [bar.get_height() for bar in figure.axes[0].patches]


def test_precision_and_recall_stand_side_by_side() -> None:
    found = scores(3)
    figure = draw_precision_recall(found, "title")
    ones = list(found.by_emotion.values())
    expected = [one["precision"] for one in ones] + [one["recall"] for one in ones]
    assert heights(figure) == expected
    bars = figure.axes[0].patches
    assert bars[0].get_hatch()
    assert not bars[3].get_hatch()
    assert np.dot(bars[0].get_facecolor()[:3], [0.299, 0.587, 0.114]) > 0.6
    assert np.dot(bars[3].get_facecolor()[:3], [0.299, 0.587, 0.114]) < 0.3
    said = texts(figure)
    assert {"precision", "recall", "angry\n10", "reference emotion and number of clips"} <= set(
        said
    )


def test_the_accuracy_of_each_emotion_is_beside_mean_and_chance() -> None:
    found = scores(5)
    figure = draw_accuracy(found, "title")
    assert heights(figure) == [one["recall"] for one in found.by_emotion.values()]
    mean, chance = figure.axes[0].lines
    assert list(mean.get_ydata()) == [found.ua] * 2
    assert list(chance.get_ydata()) == [0.2] * 2
    assert mean.get_linestyle() != chance.get_linestyle()
    assert {f"mean (UA): {found.ua:.1%}", "chance: 20.0%"} <= set(texts(figure))


def test_emotions_without_references_have_no_bar() -> None:
    found = score(["angry", "sad"], ["angry", "happy"], ["", ""], ("angry", "happy", "sad"))
    assert heights(draw_accuracy(found, "title")) == [1.0, 0.0]
    assert "chance: 33.3%" in texts(draw_accuracy(found, "title"))
    assert heights(draw_precision_recall(found, "title")) == [1.0, 0.0, 1.0, 0.0]


def test_reliability_is_drawn_bin_by_bin() -> None:
    found = calibrated(4)
    figure = draw_reliability(found, "title")
    right, clips = figure.axes
    filled = [one for one in found.bins if one["n_clips"]]
    assert [bar.get_height() for bar in right.patches] == [one["accuracy"] for one in filled]
    assert [bar.get_x() for bar in right.patches] == pytest.approx([one["low"] for one in filled])
    assert [bar.get_height() for bar in clips.patches] == [one["n_clips"] for one in found.bins]
    diagonal, points = right.lines
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) == [0, 1]
    assert list(points.get_xdata()) == [one["confidence"] for one in filled]
    said = texts(figure)
    assert {"confidence", "clips", "accuracy"} <= set(said)
    assert f"title\nECE {found.ece:.1%}, Brier score {found.brier:.3f}" in said


def test_the_confusion_matrix_of_a_training_is_the_same(tmp_path: Path) -> None:
    confusion_matrix(scores(5), "title", tmp_path / "one.png")
    draw_confusion_matrix(scores(5), "title").savefig(tmp_path / "two.png", dpi=figures.DPI)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
