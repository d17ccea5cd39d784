import json
from importlib import resources

import pytest

from serctl.reports.model_card import card_in_short, must_not_use


def sha256_of(model):
    config = resources.files("serctl.weights") / model / "config.json"
    return json.loads(config.read_text("utf-8"))["sha256"]


@pytest.mark.parametrize("model", ["cnn", "paper-cnn", "paper-rnn", "paper-svm", "whisper"])
def test_every_bundled_model_has_a_card_in_short(model):
    card = card_in_short(model, sha256_of(model))
    assert card["chance"] < card["ua"] < 1
    assert card["ua_interval"][0] < card["ua"] < card["ua_interval"][1]
    assert {name for name, *_ in card["by_emotion"]} >= {"angry", "sad"}
    assert "research and other non-commercial purposes only" in card["terms"][0]
    assert any("actor" in item for item in card["limits"][0])
    assert not any(mark in json.dumps(card) for mark in ("**", "`", "##"))


def test_other_weights_have_none():
    assert card_in_short("cnn", "0" * 64) is None
    assert card_in_short("mine", sha256_of("cnn")) is None
    assert card_in_short("../weights/cnn", sha256_of("cnn")) is None
    assert card_in_short("", "") is None


def test_what_no_model_must_be_used_for_is_paragraphs_and_a_list():
    first, items, *laws = must_not_use()
    assert first.startswith("Do not use it for any decision about a person")
    assert "to monitor employees, pupils, callers, customers or crowds." in items
    assert "2024/1689" in laws[0]
