import pytest
from hypothesis import given
from hypothesis import strategies as st

from serctl.emotions import (
    EMOTIONS,
    REPORT_FIVE,
    as_label,
    in_order,
    is_label,
    parse_emotions,
)
from serctl.errors import UsageError


def test_the_reports_five_are_in_the_order_of_all():
    assert REPORT_FIVE == ("angry", "disgust", "fear", "happy", "sad")
    assert len(set(EMOTIONS)) == len(EMOTIONS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("angry,sad", ("angry", "sad")),
        ("sad,angry", ("angry", "sad")),
        (" Sad , ANGRY,,sad,", ("angry", "sad")),
        ("angry,disgust,fear,happy,sad", REPORT_FIVE),
    ],
)
def test_emotions_come_in_the_models_order(text, expected):
    assert parse_emotions(text, REPORT_FIVE) == expected


def test_the_models_order_need_not_be_ours():
    assert parse_emotions("angry,sad", ("sad", "angry")) == ("sad", "angry")


@given(st.sets(st.sampled_from(EMOTIONS), min_size=2), st.randoms(use_true_random=False))
def test_any_subset_is_parsed(emotions, random):
    named = list(emotions)
    random.shuffle(named)
    assert set(parse_emotions(", ".join(named), EMOTIONS)) == emotions


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'': 0 found; at least two emotions are needed"),
        (" , ,", ": 0 found"),
        ("sad", "'sad': 1 found; at least two .* Available: angry, disgust, fear, happy, sad"),
        ("sad,sad", "'sad,sad': 1 found"),
        ("sad,joy", "joy: not an emotion of this model. Available: angry, disgust"),
        ("angry;sad", "angry;sad: not an emotion .* separated by commas"),
        ("zest,sad,joy", "joy, zest: not an emotion"),
        ("neutral,sad", "neutral: not an emotion of this model"),
    ],
)
def test_what_cannot_be_chosen_between_is_refused(text, message):
    with pytest.raises(UsageError, match=message):
        parse_emotions(text, REPORT_FIVE)


@pytest.mark.parametrize(
    "name", [*EMOTIONS, "male", "größe", "क्रोध", "very_angry", "c++", "2", "3.5"]
)
def test_labels_that_a_model_may_have(name):
    assert is_label(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Male",
        "a b",
        "a,b",
        "a=b",
        "a/b",
        "=cmd",
        "-",
        "_a",
        "uncertain",
        "x" * 41,
        "a\n",
        "e\u0301",
    ],
)
def test_labels_that_no_model_may_have(name):
    assert not is_label(name)


def test_any_name_becomes_a_label_in_one_spelling():
    assert as_label(" Very  ANGRY\n") == "very_angry"
    assert as_label("e\u0301") == "\u00e9"


def test_emotions_come_before_other_labels():
    assert in_order(["b", "sad", "angry", "a", "sad"]) == ("angry", "sad", "a", "b")
