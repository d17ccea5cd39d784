import re
from typing import Any

import pytest

from serctl.emotions import REPORT_FIVE
from serctl.features import MelSpec
from serctl.inputs import Scaling
from serctl.models import ModelConfig
from serctl.train.card import card_text
from serctl.train.corpora import CORPORA

CONFIG = ModelConfig(
    name="paper-cnn",
    network="paper-cnn",
    emotions=REPORT_FIVE,
    features=MelSpec(),
    scaling=Scaling((0.0,) * 148, (1.0,) * 148),
    temperature=1.234,
    window_s=30.0,
    min_duration_s=0.25,
)


def metrics_of(split: str) -> dict[str, Any]:
    """Metrics whose every figure is another."""
    return {
        "command": f"serctl train --corpora CORPORA --model paper-cnn --split {split} --seed 2",
        "split": split,
        "fold": 3 if split == "new-speakers" else None,
        "seed": 2,
        "n_train": 6101,
        "n_validation": 1502,
        "test": {
            "n_clips": 1803,
            "ua": 0.4514,
            "wa": 0.4725,
            "by_emotion": {
                emotion: {
                    "n_clips": 310 + i,
                    "recall": 0.311 + i / 100,
                    "precision": 0.523 + i / 100,
                }
                for i, emotion in enumerate(REPORT_FIVE)
            },
            "by_corpus": {
                corpus: {"n_clips": 410 + i, "wa": 0.611 + i / 100, "ua": 0.725 + i / 100}
                for i, corpus in enumerate(CORPORA)
            },
        },
    }


PROTOCOLS = {
    split: {"runs": [{}] * n, "ua": 0.5 + x, "wa": 0.6 + x, "ua_lowest": 0.4 + x, "ua_highest": 0.7}
    for split, n, x in (("report", 3, 0.011), ("new-speakers", 5, 0.022))
}


def card(split: str = "new-speakers", protocols: dict[str, Any] | None = None) -> str:
    return card_text(CONFIG, metrics_of(split), protocols)


def tables(text: str) -> list[list[list[str]]]:
    """Cells of every table, row by row."""
    found: list[list[list[str]]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            assert line.endswith("|")
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


@pytest.mark.parametrize("terms", ["ODbL 1.0", "CC BY-NC-SA 4.0", "by registration", "NC-ND 4.0"])
def test_it_has_the_terms_of_every_corpus(terms: str) -> None:
    (rows,) = [table for table in tables(card()) if table[0][-1] == "terms"]
    assert len(rows) == 2 + len(CORPORA)
    assert sum(terms in row[-1] for row in rows) == 1
    assert "non-commercial" in card()
    assert "serctl's code is MIT; the weights are not" in card()


@pytest.mark.parametrize(
    "said", ["actor", "not what a person feels", "40%", "0.25 s", "30 s", "noise", "not known"]
)
def test_it_has_the_limits(said: str) -> None:
    limits = card().partition("## Limits")[2].partition("## ")[0]
    assert said in limits


@pytest.mark.parametrize("use", ["hire", "police", "diagnose", "decision about a person"])
def test_it_has_what_it_must_not_be_used_for(use: str) -> None:
    assert use in card().partition("## Not to be used")[2].replace("\n", " ")


def test_its_figures_are_those_of_the_metrics() -> None:
    text = card().replace("\n", " ")
    assert "6101 clips trained, 1502 chose the epoch and the calibration, and 1803 were" in text
    assert "**UA 45.1%**" in text
    assert "WA 47.2%" in text
    assert "Chance is 20.0%" in text
    assert "1.23" in text
    by_corpus, by_emotion = ({row[0]: row[1:] for row in table[2:]} for table in tables(card())[1:])
    assert by_corpus == {
        "CREMA-D": ["410", "61.1%", "72.5%"],
        "RAVDESS (speech)": ["411", "62.1%", "73.5%"],
        "SAVEE": ["412", "63.1%", "74.5%"],
        "TESS": ["413", "64.1%", "75.5%"],
    }
    assert list(by_emotion) == list(REPORT_FIVE)
    assert by_emotion["angry"] == ["310", "31.1%", "52.3%"]
    assert by_emotion["sad"] == ["314", "35.1%", "56.3%"]


def test_it_says_what_made_it_and_how_to_check_it() -> None:
    for split, where in (("new-speakers", "--fold 3"), ("report", "--seed 2")):
        text = card(split)
        assert f"    {metrics_of(split)['command']}\n" in text
        check = f"    serctl evaluate --model FOLDER --corpora CORPORA --split {split} {where}\n"
        assert check in text


def test_it_says_who_was_heard_in_training() -> None:
    assert "`new-speakers`, fold 3 (nobody who is tested was heard in training)" in card()
    assert "`report`, seed 2 (random by clip: who is tested was heard" in card("report")


def test_a_corpus_that_was_not_tested_has_no_row() -> None:
    metrics = metrics_of("new-speakers")
    del metrics["test"]["by_corpus"]["tess"]
    assert "TESS" not in [row[0] for row in tables(card_text(CONFIG, metrics))[1]]


def test_it_has_the_figures_of_both_protocols() -> None:
    (rows,) = [table for table in tables(card(protocols=PROTOCOLS)) if table[0][0] == "protocol"]
    assert rows[2][1:] == ["3", "51.1%", "41.1%, 70.0%", "61.1%"]
    assert rows[3][1:] == ["5", "52.2%", "42.2%, 70.0%", "62.2%"]


@pytest.mark.parametrize("split", ["new-speakers", "report"])
@pytest.mark.parametrize("protocols", [None, PROTOCOLS], ids=["one", "both"])
def test_it_is_markdown_that_reads_as_text(split: str, protocols: dict[str, Any] | None) -> None:
    text = card(split, protocols)
    assert text.endswith("heard.\n")
    assert not re.search(r"[{}]|nan|None", text)
    assert "\n\n\n" not in text
    for line in text.splitlines():
        assert len(line) <= 110 or line.startswith(("|", "    "))
        assert line == line.rstrip()
    for table in tables(text):
        header, rule, *rows = table
        assert rows
        assert all(re.fullmatch("-{3,}", cell) for cell in rule)
        assert {len(row) for row in table} == {len(header)}
    # A table or an indented command is apart from the paragraphs about it.
    for before, line in zip(text.splitlines(), text.splitlines()[1:], strict=False):
        for start in ("|", "    ", "#"):
            if line.startswith(start) and not before.startswith(start):
                assert before == ""
