import codecs

import pytest

from serctl.errors import ResultsError
from serctl.results.dialects import DIALECTS
from serctl.results.reader import read_results
from serctl.results.schema import Result
from serctl.results.summary import summarize
from serctl.results.writer import ResultsWriter

EMOTIONS = ("angry", "sad")
NAMES = ("calls/a.wav", "=1+1.wav", "-b.wav", "@c;d.wav", "+49,5.wav", 'q"uote.wav', "é.wav")
RESULTS = [
    *(Result(name, "ok", "", "angry", 0.75, (0.75, 0.25), 2.903, 16000, 1, 1) for name in NAMES),
    Result("=x.wav", "unreadable", "- broken; and, more"),
]


def written(path, dialect):
    with ResultsWriter(path, EMOTIONS, dialect=dialect) as writer:
        for result in RESULTS:
            writer.write(result)
    return path.read_bytes()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_written_reads_back(tmp_path, dialect):
    path = tmp_path / "r.csv"
    written(path, dialect)
    emotions, results = read_results(path)
    assert emotions == EMOTIONS
    assert list(results) == RESULTS


def test_excel_gets_a_mark_and_no_formula(tmp_path):
    content = written(tmp_path / "r.csv", "excel")
    assert content.startswith(codecs.BOM_UTF8 + b"path,status")
    for line in content.decode("utf-8-sig").splitlines():
        assert not line.lstrip('"').startswith(("=", "+", "-", "@"))


def test_a_european_excel_gets_semicolons_and_commas(tmp_path):
    content = written(tmp_path / "r.csv", "excel-eu").decode("utf-8-sig")
    assert "calls/a.wav;ok;;angry;0,750000;0,750000;0,250000;2,903;16000;1;1;;;;\n" in content
    assert "'+49,5.wav;ok" in content


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    ("separator", "decimal"), [(",", "."), (";", ","), (";", "."), ("\t", ",")]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_a_spreadsheet_saves_is_read(tmp_path, encoding, separator, decimal, end):
    path = tmp_path / "r.csv"
    plain = "\n".join(
        [
            "path;status;reason;emotion;confidence;p_angry;p_sad;duration_s;sample_rate_hz;channels;windows",
            "b/c,d.wav;ok;;angry;0.75;0.75;0.25;2.903;16000;1;1"
            if separator != ","
            else "b/cd.wav;ok;;angry;0.75;0.75;0.25;2.903;16000;1;1",
        ]
    )
    text = plain.replace("0.", f"0{decimal}").replace("2.9", f"2{decimal}9")
    text = text.replace(";", separator).replace("\n", end) + end
    path.write_bytes(text.encode(encoding))
    (result,) = read_results(path)[1]
    name = "b/cd.wav" if separator == "," else "b/c,d.wav"
    assert result == Result(name, "ok", "", "angry", 0.75, (0.75, 0.25), 2.903, 16000, 1, 1)


def test_half_a_file_of_utf_16_is_told(tmp_path):
    path = tmp_path / "r.csv"
    written(tmp_path / "u.csv", "standard")
    path.write_bytes((tmp_path / "u.csv").read_text("utf-8").encode("utf-16")[:-1])
    with pytest.raises(ResultsError, match="Is the file complete"):
        list(read_results(path)[1])


def test_a_duration_that_is_none_is_told(tmp_path):
    path = tmp_path / "r.csv"
    written(path, "standard")
    path.write_bytes(path.read_bytes().replace(b"2.903", b"1e308", 1))
    with pytest.raises(
        ResultsError, match="duration_s holds '1e308'; a number from 0 to 1000000000"
    ):
        summarize([path])


def test_the_same_rows_are_counted_once(tmp_path):
    path = tmp_path / "r.csv"
    written(path, "standard")
    once, twice = summarize([path]), summarize([path, path])
    assert (twice.total, twice.n_duplicates) == (once.total, len(RESULTS))
