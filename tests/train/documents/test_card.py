import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from support.synthetic_results import CNN, SIX, SVM, synthetic_summary, synthetic_test

from serctl.emotions import REPORT_FIVE
from serctl.features.mel import MelSpec
from serctl.models.config import ModelConfig
from serctl.models.inputs import Normalization
from serctl.models.networks import NETWORKS
from serctl.train.corpora.manifest import CORPORA
from serctl.train.documents.card import card_text
from serctl.train.documents.card_tables import interval_of_mean
from serctl.train.documents.published import EMOBOX
from serctl.train.evaluation.scores import score

CONFIG = ModelConfig(
    name="paper-cnn",
    network="paper-cnn",
    emotions=REPORT_FIVE,
    features=MelSpec(),
    normalization=Normalization((0.0,) * 148, (1.0,) * 148),
    temperature=1.234,
    window_s=30.0,
    min_duration_s=0.25,
)


SIX_CONFIG = replace(
    CONFIG,
    name="cnn",
    network="cnn",
    emotions=SIX,
    features=MelSpec(16000, 512, 160, 64, 20, 70.0),
    normalization=Normalization((0.0,) * 64, (1.0,) * 64),
    sha256="0123",
)


def metrics_of(split: str, emotions: Sequence[str] = REPORT_FIVE) -> dict[str, Any]:
    """Metrics whose every figure is another."""
    return {
        "command": f"serctl train --corpora CORPORA --model paper-cnn --split {split} --seed 2",
        "split": split,
        "fold": None if split == "report" else 3,
        "seed": 2,
        "n_train": 6101,
        "n_validation": 1502,
        "recipe": {"training": {"schedule": "constant"}},
        "test": {
            "emotions": list(emotions),
            "n_clips": 1803,
            "ua": 0.4514,
            "wa": 0.4725,
            "confusion": [
                [100 * i + j for j in range(len(emotions))] for i in range(len(emotions))
            ],
            "by_emotion": {
                emotion: {
                    "n_clips": 100 * i * len(emotions) + 15 + i,
                    "recall": 0.311 + i / 100,
                    "precision": 0.523 + i / 100,
                }
                for i, emotion in enumerate(emotions)
            },
            "by_corpus": {
                corpus: {"n_clips": 410 + i, "wa": 0.611 + i / 100, "ua": 0.725 + i / 100}
                for i, corpus in enumerate(CORPORA)
            },
        },
    }


def calibrated(ece: float, brier: float) -> dict[str, Any]:
    measured = {"n_clips": 1704, "ece": ece, "brier": brier, "confidence": 0.61, "accuracy": 0.52}
    halves = ((0.0, 0.5, 0.4), (0.5, 1.0, 0.64))
    bins = [{"low": a, "high": b, "n_clips": 852, "accuracy": right} for a, b, right in halves]
    return measured | {"bins": bins}


GROUPS = {
    "sex": {
        name: {
            "n_speakers": n,
            "n_clips": 500 + n,
            "wa": n / 100,
            "ua": 0.5,
            "ua_interval": [0.4, 0.6],
        }
        for name, n in (("female", 21), ("male", 22))
    },
    "age": {
        name: {
            "n_speakers": n,
            "n_clips": 600 + n,
            "wa": n / 100,
            "ua": 0.6,
            "ua_interval": [0.5, 0.7],
        }
        for name, n in (("under 30", 31), ("60 and over", 2), ("not known", 10))
    },
}
ROBUSTNESS = {
    "sha256": "0123",
    "command": "python -m serctl.train.robustness.robustness cnn FOLD0",
    "emotions": list(SIX),
    "n_clips": 2158,
    "rows": [
        {"corruption": "clean", "ua": 0.71, "wa": 0.72, "ua_drop": 0.0},
        {"corruption": "white noise at 0 dB", "ua": 0.51, "wa": 0.52, "ua_drop": 20.04},
    ],
}
EVERYTHING = CNN | {
    "emobox-crema-d": synthetic_summary([0.7, 0.75], "serctl train --split emobox-crema-d"),
    "emobox-savee": synthetic_summary([0.65], "serctl train --split emobox-savee"),
    "groups": GROUPS,
    "robustness": ROBUSTNESS,
    "calibration": {"before": calibrated(0.0912, 0.661), "after": calibrated(0.0312, 0.643)},
}


def card(split: str = "new-speakers", results: dict[str, Any] | None = None) -> str:
    return card_text(CONFIG, metrics_of(split), results)


def full_card(results: dict[str, Any] = EVERYTHING) -> str:
    return card_text(SIX_CONFIG, metrics_of("new-speakers", SIX), results)


def table_of(text: str, heading: str) -> dict[str, list[str]]:
    """Cells of the one table whose first row begins so, by their first."""
    (rows,) = [one for one in tables(text) if heading == one[0][0] and "terms" not in one[0]]
    return {row[0]: row[1:] for row in rows[2:]}


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
    (rows,) = [found for found in tables(card()) if found[0][-1] == "terms"]
    assert len(rows) == 2 + len(CORPORA)
    assert sum(terms in row[-1] for row in rows) == 1
    assert "non-commercial" in card()
    assert "serctl's code has the MIT license; the weights do not" in card().replace("\n", " ")


@pytest.mark.parametrize(
    "said", ["actor", "not what a person feels", "40%", "0.25 s", "30 s", "noise", "not known"]
)
def test_it_has_the_limits(said: str) -> None:
    limits = card().partition("## Limits")[2].partition("## ")[0]
    assert said in limits


@pytest.mark.parametrize(
    "use", ["hire", "policing", "diagnose", "monitor employees", "any decision about a person"]
)
def test_it_has_what_it_must_not_be_used_for(use: str) -> None:
    assert use in card().partition("## Do not use it")[2].replace("\n", " ")


@pytest.mark.parametrize(
    "law",
    [
        "Article 5(1)(f) of Regulation (EU) 2024/1689",
        "at the workplace or in education, except for medical or safety reasons",
        "Article 50(3)",
        "not legal advice",
    ],
)
def test_it_has_the_law_of_the_european_union(law: str) -> None:
    assert law in card().replace("\n", " ")


@pytest.mark.parametrize(
    ("recipe", "chosen"),
    [
        ({"training": {"schedule": "one-cycle"}}, "the temperature"),
        ({"svm": {"costs": [1.0]}}, "C and the temperature"),
    ],
)
def test_it_says_what_validation_clips_chose(recipe: dict[str, Any], chosen: str) -> None:
    text = card_text(CONFIG, metrics_of("report") | {"recipe": recipe}).replace("\n", " ")
    assert f"1502 for validation, which chose {chosen}, and 1803" in text


def test_it_says_which_recipes_were_scored_before() -> None:
    assert "Two earlier recipes of this model" in card().replace("\n", " ")
    assert "Eight other recipes of this model" in full_card().replace("\n", " ")
    others = (
        card_text(replace(CONFIG, name="paper-svm"), metrics_of("report")),
        card("emobox-savee"),
    )
    assert not any("earlier recipe" in other.replace("\n", " ") for other in others)


@pytest.mark.parametrize(
    ("asked", "found", "said"),
    [
        ({}, {}, ""),  # an SVM
        ({"precision": "bfloat16"}, {}, "trained in bfloat16"),  # before a training said it
        ({"precision": "bfloat16"}, {"precision": "float32"}, "trained in float32"),
    ],
)
def test_it_says_the_precision(asked: dict[str, str], found: dict[str, str], said: str) -> None:
    metrics = metrics_of("report") | {"recipe": {"training": asked}, "made_with": found}
    text = " ".join(card_text(CONFIG, metrics).split())
    assert said in text
    assert ("trained in" in text) == bool(said)


def test_its_figures_are_those_of_the_metrics() -> None:
    text = card().replace("\n", " ")
    assert (
        "6101 clips for training, 1502 for validation, which chose the epoch that is kept" in text
    )
    assert "and the temperature, and 1803 for the test" in text
    assert re.search(r"\*\*UA 45\.1% \(\d+\.\d% to \d+\.\d%\)\*\*", text)
    assert "WA 47.2%" in text
    assert "Chance is 20.0%" in text
    assert "1.23" in text
    assert table_of(card(), "emotion")["angry"] == ["15", "31.1%", "52.3%"]
    assert table_of(card(), "emotion")["sad"] == ["2019", "35.1%", "56.3%"]
    assert table_of(card(), "corpus") == {
        "CREMA-D": ["410", "61.1%", "72.5%"],
        "RAVDESS (speech)": ["411", "62.1%", "73.5%"],
        "SAVEE": ["412", "63.1%", "74.5%"],
        "TESS": ["413", "64.1%", "75.5%"],
    }
    assert table_of(card(), "reference")["happy"] == ["300", "301", "302", "303", "304"]


def test_it_says_what_made_it_and_how_to_check_it() -> None:
    for split, where in (
        ("new-speakers", "--fold 3"),
        ("report", "--seed 2"),
        ("emobox-savee", "--fold 3"),
    ):
        text = card(split)
        assert f"    {metrics_of(split)['command']}\n" in text
        check = f"    serctl evaluate --model FOLDER --corpora CORPORA --split {split} {where}\n"
        assert check in text


def test_it_says_whether_test_speakers_are_in_the_training_part() -> None:
    texts = [card(split).replace("\n", " ") for split in ("new-speakers", "report", "emobox-savee")]
    assert "`new-speakers`, fold 3 (test speakers are not in the training part)" in texts[0]
    assert "`report`, seed 2 (random by clip: test speakers are in the" in texts[1]
    assert "`emobox-savee`, fold 3 (EmoBox's, one corpus by itself)" in texts[2]


def test_a_corpus_that_was_not_tested_has_no_row() -> None:
    metrics = metrics_of("new-speakers")
    del metrics["test"]["by_corpus"]["tess"]
    assert "TESS" not in table_of(card_text(CONFIG, metrics), "corpus")


@pytest.mark.parametrize("network", NETWORKS)
def test_it_describes_every_network(network: str) -> None:
    config = replace(CONFIG if network.startswith("paper") else SIX_CONFIG, network=network)
    text = card_text(config, metrics_of("report", config.emotions)).partition("## ")[0]
    n_weights = sum(
        w.numel() for w in NETWORKS[network].torch_module(len(config.emotions)).parameters()
    )
    assert f"{n_weights:,} parameters".replace(",", " ") in text.replace("\n", " ")
    assert f"{config.features.n_mels} bands" in text.replace("\n", " ")
    assert f"one of {len(config.emotions)} emotions (angry" in text.replace("\n", " ")


# What was measured of bundled models


def test_it_has_the_figures_of_every_protocol() -> None:
    (rows,) = [found for found in tables(full_card()) if found[0][0] == "protocol"]
    cells = [[row[1], row[2], row[3].partition(" (")[0], *row[4:]] for row in rows[2:]]
    assert cells == [
        ["5", "3", "85.0%", "80.0%, 90.0%", "85.0%"],
        ["6", "5", "60.0%", "50.0%, 70.0%", "60.0%"],
        ["5", "5", "70.0%", "60.0%, 80.0%", "70.0%"],
    ]
    (rows,) = [found for found in tables(full_card()) if "`report`, 5 emotions" in found[0]]
    assert rows[0] == ["corpus", "`report`, 5 emotions", "`new-speakers`, 6 emotions"]
    assert rows[2] == ["CREMA-D", "80.0%", "50.0%"]


def test_emobox_stands_beside_what_was_published() -> None:
    own, *published = next(found for found in tables(full_card()) if found[0][0] == "UA")[2:]
    assert own[1].startswith("72.5% (")
    assert own[2].startswith("65.0% (")
    assert ["HuBERT base (95 M parameters)", "71.1%", "58.9%"] in published
    assert len(published) == len(EMOBOX) == 8


def test_groups_have_their_rows() -> None:
    rows = table_of(full_card(), "group")
    assert rows["sex: female"] == ["21", "521", "50.0% (40.0% to 60.0%)", "21.0%"]
    assert rows["age: 60 and over"] == ["2", "602", "60.0% (50.0% to 70.0%)", "2.0%"]
    assert len(rows) == 5


def test_robustness_has_its_rows_and_its_command() -> None:
    text = full_card()
    rows = table_of(text, "corruption")
    assert rows["clean"] == ["71.0%", "", "72.0%"]
    assert rows["white noise at 0 dB"] == ["51.0%", "20.0", "52.0%"]
    assert "the 2158 clips of fold 0 with one of 6 emotions" in text.replace("\n", " ")
    assert f"    {ROBUSTNESS['command']}\n" in text


def test_robustness_of_other_weights_is_left_out() -> None:
    stale = EVERYTHING | {"robustness": ROBUSTNESS | {"sha256": "4567"}}
    assert "white noise" not in full_card(stale)


def test_calibration_has_both_its_rows_and_its_figure() -> None:
    text = full_card()
    rows = next(found for found in tables(text) if "ECE" in found[0])[2:]
    assert rows[0] == ["before temperature scaling", "0.091", "0.661", "61.0%", "52.0%"]
    assert rows[1][:3] == ["after temperature scaling", "0.031", "0.643"]
    assert "(../../train/results/cnn-new-speakers-reliability.png)" in text
    assert "1704 test clips" in text.replace("\n", " ")


@pytest.mark.parametrize(
    ("key", "heading"),
    [
        ("groups", "## By sex and age"),
        ("robustness", "## Robustness"),
        ("calibration", "ECE"),
        ("emobox-crema-d", "HuBERT"),
    ],
)
def test_what_was_not_measured_is_left_out(key: str, heading: str) -> None:
    rest = {name: one for name, one in EVERYTHING.items() if name not in (key, "emobox-savee")}
    assert heading in full_card()
    assert heading not in full_card(rest)


def test_an_interval_of_one_run_is_that_of_its_scores() -> None:
    references = ["angry"] * 40 + ["sad"] * 20 + ["fear"]
    predictions = ["angry"] * 25 + ["sad"] * 15 + ["sad"] * 13 + [""] * 7 + ["angry"]
    test = score(references, predictions, [""] * 61, REPORT_FIVE)
    assert interval_of_mean([asdict(test)]) == pytest.approx(test.intervals["ua"])


def test_an_interval_of_several_runs_is_narrower() -> None:
    low, high = interval_of_mean([synthetic_test(0.6)])
    assert low < 0.6 < high
    one, four = high - low, np.diff(interval_of_mean([synthetic_test(0.6)] * 4))[0]
    assert 0.3 * one < four < 0.8 * one


@pytest.mark.parametrize(
    "text",
    [card(), card("report"), card("report", SVM), full_card(), full_card(CNN)],
    ids=["new speakers", "report", "five", "everything", "six"],
)
def test_it_is_markdown_that_reads_as_text(text: str) -> None:
    assert text.endswith("not legal advice.\n")
    assert not re.search(r"[{}]|nan|None", text)
    assert "\n\n\n" not in text
    for line in text.splitlines():
        assert len(line) <= 110 or line.startswith(("|", "    "))
        assert line == line.rstrip()
    for found in tables(text):
        header, rule, *rows = found
        assert rows
        assert all(re.fullmatch("-{3,}", cell) for cell in rule)
        assert {len(row) for row in found} == {len(header)}
    # A table or an indented command is apart from the paragraphs about it.
    for before, line in zip(text.splitlines(), text.splitlines()[1:], strict=False):
        for start in ("|", "    ", "#"):
            if line.startswith(start) and not before.startswith(start):
                assert before == ""
