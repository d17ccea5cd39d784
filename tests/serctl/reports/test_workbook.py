import openpyxl
import pytest
from support.result_files import write_results

from serctl.cli import run


@pytest.fixture
def calls(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_results("calls.csv", 40, calls=True, hostile=True)


def test_a_workbook_has_recordings_groups_and_segments(calls, capsys):
    assert run(["report", calls, "-o", "r.xlsx", "--by", "(?P<agent>agent[0-9]+)"]) == 0
    book = openpyxl.load_workbook("r.xlsx")
    assert book.sheetnames == ["recordings", "emotion", "folder", "status", "agent", "segments"]
    recordings = book["recordings"]
    assert recordings.max_row == 41
    assert [cell.value for cell in recordings[1]][:5] == [
        "path",
        "status",
        "reason",
        "emotion",
        "confidence",
    ]
    assert isinstance(recordings["F2"].value, float | None)


def test_no_name_is_a_formula_or_breaks_the_file(calls):
    assert run(["report", calls, "-o", "r.xlsx"]) == 0
    sheet = openpyxl.load_workbook("r.xlsx")["recordings"]
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert not [cell.value for cell in cells if cell.data_type == "f"]
    paths = {row[0].value for row in sheet.iter_rows(min_row=2)}
    assert "r/caf\\udce9 \\udcff.wav" in paths
    assert "=HYPERLINK(1),x.wav" not in paths  # it stands below r/
    assert "r/=HYPERLINK(1),x.wav" in paths


def test_a_cell_that_begins_like_a_formula_stays_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    head = (
        "path,status,reason,emotion,confidence,p_a,p_b,duration_s,sample_rate_hz,channels,windows\n"
    )
    (tmp_path / "r.csv").write_text(head + "=1+1.wav,ok,,a,0.9,0.9,0.1,1,16000,1,1\n")
    assert run(["report", "r.csv", "-o", "r.xlsx"]) == 0
    cell = openpyxl.load_workbook("r.xlsx")["recordings"]["A2"]
    assert (cell.value, cell.data_type) == ("=1+1.wav", "s")


def test_without_openpyxl_it_says_how_to_install_it(calls, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    assert run(["report", calls, "-o", "r.xlsx"]) == 3
    assert "pip install openpyxl" in capsys.readouterr().err
