import re

import pytest
from support.synthetic_results import CNN, SVM, synthetic_summary

from serctl.emotions import REPORT_FIVE
from serctl.train.documents import result_tables, sentences
from serctl.train.documents.result_tables import NOT_MEASURED, TABLES
from serctl.train.documents.sentences import WIDTH

BOTH = {"paper-svm": SVM, "cnn": CNN}


@pytest.fixture(autouse=True)
def default_model(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (result_tables, sentences):
        monkeypatch.setattr(module, "DEFAULT_MODEL", "cnn")


def cells(markdown: str) -> dict[str, list[str]]:
    """Rows of the only table in a text, by their first cells."""
    rows = [line.strip("|").split("|") for line in markdown.splitlines() if line.startswith("|")]
    stripped = [[cell.strip() for cell in row] for row in rows]
    assert {len(row) for row in stripped} == {len(stripped[0])}
    assert set(stripped[1]) == {"---"}
    return {row[0]: row[1:] for row in (stripped[0], *stripped[2:])}


def test_the_headline_is_of_the_default_model_and_new_speakers() -> None:
    text = TABLES["headline"](BOTH).replace("\n", " ")
    assert "`cnn`, is right in 70.0% of cases" in text
    assert "(chance: 20.0%; the other bundled models: 40.0%)" in text
    assert "other" not in TABLES["headline"]({"cnn": CNN})
    assert TABLES["headline"]({"paper-svm": SVM}) == ""


def test_models_are_named_with_their_emotions() -> None:
    rows = cells(TABLES["models"](BOTH))
    assert list(rows)[1:] == ["`paper-svm`", "`cnn`, the default"]
    assert rows["`paper-svm`"] == [
        "linear SVM, from the report",
        "5: angry, disgust, fear, happy, sad",
        "40.0%",
    ]
    assert rows["`cnn`, the default"][1:] == [
        "6: angry, disgust, fear, happy, sad, neutral",
        "60.0%",
    ]


def test_every_system_is_compared_by_both_protocols() -> None:
    rows = cells(TABLES["comparison"](BOTH))
    assert rows == {
        "system": ["the report", "ours, `report` split", "ours, `new-speakers`", "bundled weights"],
        "linear SVM, `paper-svm`": [
            "38%",
            "45.0% (40.0% to 50.0%)",
            "40.0% (40.0% to 40.0%)",
            "40.0%",
        ],
        "dual RNN, `paper-rnn`": ["43%", "", "", ""],
        "CNN on means over time, `paper-cnn`": ["62%", "", "", ""],
        "CNN on spectrograms, `cnn`": [
            "",
            "85.0% (80.0% to 90.0%)",
            "70.0% (60.0% to 80.0%)",
            "60.0%",
        ],
        "human listeners": ["72%", "", "", ""],
    }


def test_a_model_that_was_not_measured_is_left_out() -> None:
    assert "`cnn`" not in TABLES["comparison"]({"paper-svm": SVM})
    half = {"paper-svm": {"report": SVM["report"]}}
    row = cells(TABLES["comparison"](half))["linear SVM, `paper-svm`"]
    assert row == ["38%", "45.0% (40.0% to 50.0%)", "", ""]
    for name in ("leak", "by-emotion"):
        assert TABLES[name](half) == ""
    rows = cells(TABLES["by-corpus"](half))
    assert rows["TESS: 2 women, Canadian English"] == ["40.0% → not measured"]


def test_a_protocol_that_was_measured_in_part_says_so() -> None:
    part = {"cnn": CNN | {"new-speakers": synthetic_summary([0.7, 0.8], "")}}
    assert cells(TABLES["comparison"](part))["CNN on spectrograms, `cnn`"] == [
        "",
        "85.0% (80.0% to 90.0%)",
        "75.0% (2 of 5 folds)",
        "70.0%",
    ]
    assert cells(TABLES["models"](part))["`cnn`, the default"][-1] == "75.0% (2 of 5 folds)"
    headline = TABLES["headline"](part).replace("\n", " ")
    assert "right in 75.0% of cases (measured on 2 of 5 folds; chance: 20.0%)" in headline
    assert TABLES["leak"](part) == ""
    assert "`cnn`" not in TABLES["leak"](part | {"paper-svm": SVM})


def test_the_leak_of_speakers_is_measured() -> None:
    text = TABLES["leak"](BOTH).replace("\n", " ")
    assert "`paper-svm` from 45.0% to 40.0% and `cnn` from 85.0% to 70.0%." in text
    # By corpus, the synthetic means are those of the first run.
    assert "With `cnn`, CREMA-D's 91 speakers lose 20.0 points, and TESS's two 20.0;" in text
    assert "TESS is 25% of the report's test clips, and 25% of those of new speakers" in text
    assert "With `paper-svm`," in TABLES["leak"]({"paper-svm": SVM}).replace("\n", " ")


def test_corpora_have_both_protocols() -> None:
    rows = cells(TABLES["by-corpus"](BOTH))
    assert rows["corpus"] == ["`paper-svm`", "`cnn`"]
    assert rows["TESS: 2 women, Canadian English"] == ["40.0% → 40.0%", "80.0% → 60.0%"]
    assert len(rows) == 5


def test_emotions_are_pooled_over_the_folds() -> None:
    rows = cells(TABLES["by-emotion"](BOTH))
    assert list(rows) == ["emotion", *REPORT_FIVE]
    assert rows["sad"] == ["40.0%, 40.0%", "70.0%, 70.0%"]


def test_every_run_is_listed_with_its_command() -> None:
    rows = cells(TABLES["runs"]({"cnn": CNN}))
    assert len(rows) == 1 + 3 + 5
    assert rows["`serctl train --split report --seed 2`"] == ["5", "90.0%", "90.0%"]
    assert rows["`serctl train --split new-speakers --fold 4`"] == ["6", "70.0%", "70.0%"]


def test_every_model_has_its_pictures() -> None:
    text = TABLES["pictures"](BOTH | {"paper-cnn": {}})
    assert len(re.findall(r"^!\[.*\]\(\.\./train/results/cnn-.*\.png\)$", text, re.MULTILINE)) == 3
    assert "paper-svm" in text
    assert "paper-cnn" not in text


def test_emobox_stands_beside_what_is_published() -> None:
    assert TABLES["emobox"](BOTH) == NOT_MEASURED
    rows = cells(TABLES["emobox"]({"cnn": {"emobox-tess": {"ua": 0.5}}, "paper-svm": SVM}))
    assert rows["`cnn`"] == ["", "", "", "50.0%"]
    assert rows["HuBERT base (95 M parameters)"] == ["71.1%", "65.4%", "58.9%", "99.6%"]
    assert "`paper-svm`" not in rows


def robustness(*drops: float) -> dict[str, object]:
    """Robustness as it is measured: clean, and then so many points lost."""
    names = ("clean", "first", "second", "third", "fourth", "fifth")
    rows = [
        {"corruption": name, "ua": 0.7 - drop / 100, "ua_drop": drop}
        for name, drop in zip(names, (0.0, *drops), strict=False)
    ]
    return {"robustness": {"rows": rows}}


def test_robustness_is_tabulated_by_condition_and_model() -> None:
    measured = {"paper-svm": robustness(-1.0), "cnn": robustness(2.04, 20.0), "paper-cnn": SVM}
    rows = cells(TABLES["robustness"](measured))
    assert rows == {
        "corruption": ["`paper-svm`", "`cnn`"],
        "clean": ["70.0%", "70.0%"],
        "first": ["71.0% (+1.0)", "68.0% (-2.0)"],
        "second": ["", "50.0% (-20.0)"],
    }
    assert TABLES["robustness"](BOTH) == NOT_MEASURED


def test_the_worst_conditions_are_named() -> None:
    text = TABLES["worse"]({"cnn": robustness(2.0, 20.0, 1.0, 8.0, 4.0)}).replace("\n", " ")
    worst = "fourth (8.0 points)"
    assert (
        f"With `cnn`, on fold 0, the worst of 5 corruptions are second (20.0 points), {worst} and "
        in text
    )
    assert "and fifth (4.0 points); the median is 4.0 points" in text
    assert TABLES["worse"]({"paper-svm": robustness(1.0)}) == ""


def test_what_proposed_features_give_is_tabulated() -> None:
    splits = {
        "report": {"without": [0.5, 0.6], "with": [0.52, 0.59]},
        "new-speakers": {"without": [0.4], "with": [0.45]},
    }
    rows = cells(TABLES["proposed"]({"paper-svm": {"proposed-features": splits}, "cnn": CNN}))
    assert len(rows) == 3
    assert rows["`paper-svm`, `report`"] == ["2", "55.0%", "55.5%", "+0.5 (+2.0, -1.0)"]
    assert rows["`paper-svm`, `new-speakers`"] == ["1", "40.0%", "45.0%", "+5.0"]
    assert TABLES["proposed"](BOTH) == NOT_MEASURED


@pytest.mark.parametrize("name", TABLES)
def test_what_is_made_is_markdown_of_short_lines(name: str) -> None:
    for results in (BOTH, {"paper-svm": SVM}, {"cnn": robustness(5.0, 6.0, 7.0)}, {}):
        text = TABLES[name](results)
        assert text == text.strip()
        assert not re.search(r"\bnan\b|None|[{}]", text)
        assert all(len(line) <= WIDTH for line in text.splitlines() if line[:1] not in "|!")
