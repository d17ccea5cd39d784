import pytest

from serctl.train.corpora.figure import draw_corpora
from serctl.train.corpora.manifest import CORPORA, manifest


def texts(axes):
    return [text.get_text() for text in axes.texts if text.get_text()]


def emotions(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def test_every_corpus_is_counted_before_and_after():
    panels = draw_corpora(manifest()).axes
    assert [axes.get_title() for axes in panels] == [
        "crema-d\n7442 clips, 6355 of the five",
        "ravdess\n1440 clips, 960 of the five",
        "savee\n480 clips, 300 of the five",
        "tess\n2800 clips, 2000 of the five",
        "All corpora: 12162 clips",
        "The report's five emotions: 9615 clips",
    ]
    assert texts(panels[1]) == ["192"] * 5 + ["96", "192", "192"]
    assert texts(panels[2]) == ["60"] * 5 + ["120", "60"]  # nobody acts calm
    assert texts(panels[4]) == ["1923"] * 5 + ["1703", "192", "652"]
    assert texts(panels[5]) == ["1923"] * 5
    assert emotions(panels[4])[5:] == ["neutral", "calm", "surprise"]
    assert emotions(panels[5]) == ["angry", "disgust", "fear", "happy", "sad"]
    assert {axes.get_xlabel() for axes in panels} == {"clips"}


def test_bars_are_as_long_as_their_numbers():
    panels = draw_corpora(manifest()).axes
    hatched = [bar for bar in panels[2].patches if bar.get_hatch()]
    assert [bar.get_width() for bar in hatched] == [120, 0, 60]
    stacked = panels[4].containers
    assert [bars.get_label() for bars in stacked] == list(CORPORA)
    assert [bars[0].get_width() for bars in stacked] == [1271, 192, 60, 400]
    assert [bars[0].get_x() for bars in stacked] == [0, 1271, 1463, 1523]


@pytest.mark.parametrize("corpus", CORPORA)
def test_one_corpus_alone_is_drawn(corpus):
    clips = manifest()
    n_clips = (clips["corpus"] == corpus).sum()
    panels = draw_corpora(clips[clips["corpus"] == corpus]).axes
    assert panels[4].get_title() == f"All corpora: {n_clips} clips"
    assert len(panels) == 6
