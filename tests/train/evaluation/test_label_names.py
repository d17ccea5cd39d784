import shlex
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serctl.emotions import EMOTIONS
from serctl.errors import UsageError
from serctl.train.evaluation import synonyms
from serctl.train.evaluation.label_names import (
    LEFT_OUT,
    SAME_WORD,
    EmotionNames,
    parse_map,
    unknown_names,
)
from serctl.train.evaluation.synonyms import SYNONYMS


@pytest.mark.parametrize("spelled", [str, str.upper, str.title, "  {} ".format])
def test_an_emotion_is_itself_in_any_case(spelled) -> None:
    for emotion in EMOTIONS:
        assert EmotionNames().emotion(spelled(emotion)) == emotion


def test_forms_of_the_same_word_are_understood_and_nothing_else() -> None:
    names = EmotionNames()
    assert names.emotion("Anger") == "angry"
    assert names.emotion("happiness") == "happy"
    assert set(SAME_WORD.values()) <= set(EMOTIONS)
    for other in ("joy", "boredom", "excited", "ang", "", "unhappy"):
        assert names.emotion(other) == ""


def test_the_map_goes_before_all_else() -> None:
    names = parse_map(["Joy=happy", "calm=neutral", "angry=SAD", "boredom=-", "a=b=fear"])
    assert names.emotion("JOY") == "happy"
    assert names.emotion("calm") == "neutral"
    assert names.emotion("angry") == "sad"
    assert names.emotion("boredom") == LEFT_OUT
    assert names.emotion("a=b") == "fear"
    assert names.emotion("fear") == "fear"
    assert names.unused(["joy", "calm", "Angry", "boredom"]) == ["a=b"]


@given(st.text(), st.sampled_from([*EMOTIONS, LEFT_OUT]))
def test_any_name_can_be_mapped(name: str, emotion: str) -> None:
    if name.strip():
        assert parse_map([f"{name}={emotion}"]).emotion(name) == emotion


@pytest.mark.parametrize("pair", ["joy", "joy=", "=happy", "joy=joyful", "joy:happy", ""])
def test_what_maps_nothing_to_an_emotion_is_refused(pair: str) -> None:
    with pytest.raises(UsageError, match=r"such as anger=angry; or boredom=- to leave it out"):
        parse_map([pair])


def test_contradictions_are_refused_and_repetitions_are_not() -> None:
    with pytest.raises(UsageError, match="--map Joy=sad: joy is mapped to happy as well"):
        parse_map(["joy=happy", "Joy=sad"])
    assert parse_map(["joy=happy", "joy=happy"]).mapped == {"joy": "happy"}


def test_unknown_names_are_said_with_their_number_and_options_to_copy() -> None:
    counts = Counter({"Angr": 2, "boredom": 12, "suprised": 3, "Joy": 1, "it's": 1, "a b": 1})
    said, _, suggestion = unknown_names(counts).partition(" A suggestion to copy and to correct: ")
    assert said.startswith("boredom (12), suprised (3), Angr (2), Joy (1), it's (1), a b (1): no ")
    assert ", ".join(EMOTIONS) in said
    arguments = shlex.split(suggestion)
    assert arguments[::2] == ["--map"] * 6
    assert parse_map(arguments[1::2]).mapped == {
        "boredom": LEFT_OUT,
        "suprised": "surprise",
        "angr": "angry",
        "joy": "happy",
        "it's": LEFT_OUT,
        "a b": LEFT_OUT,
    }


@pytest.mark.parametrize(
    ("name", "emotion"),
    [
        ("rage", "angry"),
        ("Fury", "angry"),
        ("sorrow", "sad"),
        ("anxiety", "fear"),
        ("happiness ", ""),
        ("joyfull", "happy"),
        ("Pleasant Surprise", "surprise"),
        ("pleasant_surprise", "surprise"),
        ("bored", LEFT_OUT),
        ("laughter", "happy"),
        ("female", LEFT_OUT),
    ],
)
def test_synonyms_are_suggested_and_never_applied(name: str, emotion: str) -> None:
    assert not EmotionNames().emotion(name) or not emotion
    if emotion:
        assert f"{name}={emotion}" in unknown_names(Counter([name]))


def test_every_synonym_is_of_one_emotion_and_of_no_name_that_is_known() -> None:
    assert set(SYNONYMS.values()) == {*EMOTIONS, LEFT_OUT}
    assert not {*SYNONYMS} & {*EMOTIONS, *SAME_WORD}
    assert sum(len(words.split()) for words in synonyms._WORDS.values()) == len(SYNONYMS)


def test_many_unknown_names_are_cut_short() -> None:
    said = unknown_names(Counter({f"name{i}": 1 for i in range(50)}))
    assert "and 42 more" in said
    assert len(said) < 500
