import pandas as pd

from serctl.train.experiments.own_labels import draw_clips


def clips() -> pd.DataFrame:
    """Thirty clips of two labels: 20 by one speaker, 5 by each of two others."""
    speakers = ["p"] * 20 + ["q"] * 5 + ["r"] * 5
    return pd.DataFrame(
        {"path": range(60), "label": ["x"] * 30 + ["y"] * 30, "speaker": speakers * 2}
    )


def test_clips_are_drawn_evenly_from_the_speakers() -> None:
    drawn = draw_clips(clips(), 9, 0)
    assert drawn.groupby(["label", "speaker"]).size().tolist() == [3] * 6


def test_where_a_speaker_has_too_few_others_fill_up() -> None:
    drawn = draw_clips(clips(), 18, 0)
    assert drawn.groupby(["label", "speaker"]).size().tolist() == [8, 5, 5] * 2


def test_draws_differ_and_all_are_drawn_if_there_are_too_few() -> None:
    assert len(draw_clips(clips(), 50, 0)) == 60
    assert set(draw_clips(clips(), 9, 0)["path"]) != set(draw_clips(clips(), 9, 1)["path"])
