from pathlib import Path

import pytest
from support.synthetic_results import (
    CNN,
    N_CLIPS,
    SVM,
    synthetic_summary,
    synthetic_test,
    write_results,
)

from serctl.emotions import REPORT_FIVE
from serctl.errors import ResultsError
from serctl.train.corpora.manifest import CORPORA
from serctl.train.documents.measurements import RESULTS, SYSTEMS, five, pooled, read_measurements


def test_results_come_in_the_order_of_the_systems(tmp_path: Path) -> None:
    write_results(tmp_path, cnn=CNN, paper_svm=SVM)
    (tmp_path / RESULTS / "other.json").write_text("{}")
    assert list(read_measurements(tmp_path)) == ["paper-svm", "cnn"]
    assert read_measurements(tmp_path)["paper-svm"]["report"]["ua"] == SVM["report"]["ua"]


def test_without_results_there_are_none(tmp_path: Path) -> None:
    assert read_measurements(tmp_path) == {}


def test_what_is_not_json_is_refused_by_its_name(tmp_path: Path) -> None:
    write_results(tmp_path, cnn=CNN)
    path = tmp_path / RESULTS / "cnn.json"
    path.write_text(path.read_text()[:-9])
    with pytest.raises(ResultsError, match=r"cnn\.json: not JSON .* Measure it again"):
        read_measurements(tmp_path)


def test_robustness_is_read_beside_the_results_of_its_model(tmp_path: Path) -> None:
    write_results(tmp_path, cnn=CNN)
    for model in ("cnn", "paper-svm"):  # of which one has no results
        (tmp_path / RESULTS / f"robustness-{model}.json").write_text('{"rows": []}')
    found = read_measurements(tmp_path)
    assert list(found) == ["cnn"]
    assert set(found["cnn"]) == {*CNN, "robustness"}
    assert found["cnn"]["robustness"] == {"rows": []}


def test_proposed_features_are_read_beside_the_results_of_each_model(tmp_path: Path) -> None:
    write_results(tmp_path, cnn=CNN, paper_svm=SVM)
    text = '{"measured": "so", "paper-svm": {"report": 1}, "paper-cnn": {"report": 2}}'
    (tmp_path / RESULTS / "proposed-features.json").write_text(text)
    found = read_measurements(tmp_path)
    assert found["paper-svm"]["proposed-features"] == {"report": 1}
    assert list(found) == ["paper-svm", "cnn"]
    assert "proposed-features" not in found["cnn"]


def test_the_report_is_quoted_as_it_stands() -> None:
    quoted = {system.model or system.name: system.in_report for system in SYSTEMS}
    assert quoted == {
        "paper-svm": 0.38,
        "paper-rnn": 0.43,
        "paper-cnn": 0.62,
        "cnn": None,
        "whisper": None,
        "human listeners": 0.72,
    }


def test_five_emotions_are_found_whatever_a_model_knows() -> None:
    assert five(SVM, "new-speakers") is SVM["new-speakers"]
    assert five(CNN, "new-speakers") is CNN["new-speakers"]["five"]
    assert five(CNN, "report") is CNN["report"]
    assert five({}, "report") is None
    without = {**CNN["new-speakers"]}
    del without["five"]
    assert five({"new-speakers": without}, "new-speakers") is None


def test_scores_are_pooled_over_the_clips_of_all_runs() -> None:
    scores = pooled(synthetic_summary([0.5, 1.0], ""))
    n_clips = N_CLIPS * len(CORPORA)
    assert scores.n_clips == 2 * 5 * n_clips
    assert scores.emotions == REPORT_FIVE
    assert [row[i] for i, row in enumerate(scores.confusion)] == [1.5 * n_clips] * 5
    assert scores.ua == scores.by_emotion["sad"]["recall"] == 0.75


def test_clips_without_an_answer_count_as_wrong_in_the_pool() -> None:
    test = synthetic_test(1.0)
    test["confusion"][0][0] -= 8  # eight angry clips have no prediction
    scores = pooled({"runs": [{"test": test}]})
    assert scores.n_without_prediction == 8
    assert scores.by_emotion["angry"]["recall"] == 0.9
    assert scores.by_emotion["angry"]["precision"] == 1.0
