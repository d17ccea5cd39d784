import shutil
from pathlib import Path

import pytest
from support.synthetic_results import CNN, SVM, write_results

from serctl.errors import ResultsError
from serctl.train.documents.rewrite import render_documents, rewrite_documents
from serctl.weights import find_model

README = "# serctl\n\n<!-- table: models -->\nstale\n<!-- end -->\n\nafter\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Folder with results, a document and a bundled model."""
    write_results(tmp_path, cnn=CNN)
    (tmp_path / "README.md").write_text(README)
    shutil.copytree(find_model("paper-cnn"), tmp_path / "weights" / "paper-cnn")
    return tmp_path


def test_tables_are_put_between_their_marks(checkout: Path) -> None:
    assert checkout / "README.md" in rewrite_documents(checkout)
    lines = (checkout / "README.md").read_text().splitlines()
    assert lines[:4] == ["# serctl", "", "<!-- table: models -->", ""]
    assert lines[4].startswith("| `--model`")
    assert lines[6].startswith("| `cnn`")
    assert lines[7:] == ["", "<!-- end -->", "", "after"]


def test_done_twice_it_changes_nothing(checkout: Path) -> None:
    assert len(rewrite_documents(checkout)) == 3
    assert rewrite_documents(checkout) == []
    assert render_documents(checkout) == {
        path: path.read_text(encoding="utf-8")
        for path in (
            checkout / "README.md",
            checkout / "weights/models.json",
            checkout / "weights/paper-cnn/card.md",
        )
    }


def test_new_results_change_documents_and_cards(checkout: Path) -> None:
    rewrite_documents(checkout)
    write_results(checkout, paper_cnn=SVM)
    assert rewrite_documents(checkout) == [
        checkout / "README.md",
        checkout / "weights/models.json",
        checkout / "weights/paper-cnn/card.md",
    ]
    assert "| 40.0% |" in (checkout / "README.md").read_text()
    assert "40.0%" in (checkout / "weights/paper-cnn/card.md").read_text()


def test_a_table_of_which_nothing_was_measured_leaves_its_marks(checkout: Path) -> None:
    text = "<!-- table: worse -->\n\nstale\n\n<!-- end -->\n"
    (checkout / "README.md").write_text(text)
    rewrite_documents(checkout)
    assert (checkout / "README.md").read_text() == "<!-- table: worse -->\n<!-- end -->\n"


def test_a_lost_card_is_written_again(checkout: Path) -> None:
    (checkout / "weights/paper-cnn/card.md").unlink()
    assert checkout / "weights/paper-cnn/card.md" in rewrite_documents(checkout)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!-- table: models -->\n", "1 tables begin, 0 end, and 0 do both"),
        ("<!-- end -->\n", "0 tables begin, 1 end"),
        ("<!-- table: models -->\n" * 2 + "<!-- end -->\n", "2 tables begin, 1 end, and 1 do"),
        ("<!-- table: modles -->\n<!-- end -->\n", "no table modles; there are headline, models"),
    ],
)
def test_broken_marks_are_refused_and_nothing_is_lost(
    checkout: Path, text: str, message: str
) -> None:
    (checkout / "README.md").write_text(text)
    with pytest.raises(ResultsError, match=rf"README\.md: {message}"):
        rewrite_documents(checkout)
    assert (checkout / "README.md").read_text() == text
