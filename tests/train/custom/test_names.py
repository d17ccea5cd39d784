from collections import Counter

import pytest

from serctl.errors import UsageError
from serctl.train.custom.names import parse_map, similar_names


def test_any_name_is_a_label_in_lower_case_without_blanks():
    names = parse_map([], emotions_only=False)
    assert names.emotion(" Very  Angry ") == "very_angry"
    assert names.emotion("Größe") == "größe"
    assert names.emotion("male") == "male"
    assert names.emotion("") == ""


def test_words_of_emotions_count_as_elsewhere_and_the_map_goes_before():
    names = parse_map(["anger=rage", "test=-"], emotions_only=False)
    assert names.emotion("Happiness") == "happy"
    assert names.emotion("Anger") == "rage"
    assert names.emotion("test") == "-"


def test_beside_the_corpora_other_names_are_unknown_unless_mapped():
    names = parse_map(["bored=bored"], emotions_only=True)
    assert names.emotion("joy") == ""
    assert names.emotion("bored") == "bored"
    assert names.emotion("angry") == "angry"


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (["happy"], "--map happy: a name of your labels, = and the label"),
        (["a="], "--map a=: a name of your labels"),
        (["a=b,c"], "A label has letters, digits"),
        (["a=uncertain"], "A label has letters, digits"),
        (["a=b", "A=c"], "--map A=c: a is mapped to b as well"),
    ],
)
def test_a_map_that_cannot_be_read_is_refused(pairs, message):
    with pytest.raises(UsageError, match=message):
        parse_map(pairs, emotions_only=False)


@pytest.mark.parametrize(
    ("one", "other"),
    [("hapy", "happy"), ("agnry", "angry"), ("neutral", "neutrals"), ("low-mood", "low_mood")],
)
def test_two_spellings_of_one_label_are_found(one, other):
    found = similar_names(Counter({one: 3, other: 20, "sad": 20}))
    assert found.startswith(f"{one} (3) and {other} (20) may be two spellings of one label")
    assert f"--map '{one}={other}'" in found


@pytest.mark.parametrize(
    "labels",
    [
        ("male", "female"),
        ("level1", "level2"),
        ("pleasant", "unpleasant"),
        ("low", "slow"),
        ("no", "on"),
        ("happy", "happy_2"),
        ("1", "2"),
    ],
)
def test_other_labels_are_not(labels):
    assert similar_names(Counter(dict.fromkeys(labels, 9))) == ""
