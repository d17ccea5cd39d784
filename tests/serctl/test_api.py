"""The Python API: the same results as from files one by one, and errors at once."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

import serctl
from serctl.cli import run
from serctl.errors import AudioError, PathError, UsageError
from serctl.results.reader import read_results

RECORDINGS = Path(__file__).parents[1] / "recordings"
CALL = RECORDINGS / "calls" / "bakery-order.wav"
TALK = RECORDINGS / "podcast" / "opening.wav"


@pytest.fixture(scope="module")
def classifier() -> serctl.Classifier:
    return serctl.Classifier("paper-cnn", device="cpu")


def test_files_have_the_results_of_files_one_by_one(classifier: serctl.Classifier) -> None:
    results = serctl.classify([CALL, str(TALK)], model=classifier)
    assert list(results) == [classifier.classify(CALL), classifier.classify(TALK)]
    assert results.emotions == classifier.emotions
    of_first = results.probabilities_of(results[0])
    assert of_first[results[0].emotion] == results[0].confidence == max(of_first.values())


def test_a_folder_and_one_file_are_taken_too(classifier: serctl.Classifier) -> None:
    assert len(serctl.classify(CALL, model=classifier)) == 1
    paths = [result.path for result in serctl.classify(RECORDINGS / "calls", model=classifier)]
    assert paths == sorted(map(str, (RECORDINGS / "calls").iterdir()))


@pytest.mark.parametrize("dtype", ["float64", "float32", "int16"])
def test_an_array_has_the_result_of_its_file(classifier: serctl.Classifier, dtype: str) -> None:
    samples, rate_hz = soundfile.read(CALL, dtype=dtype)
    assert samples.ndim == 2
    (of_array,) = serctl.classify(samples, rate_hz=rate_hz, model=classifier)
    (of_file,) = serctl.classify(CALL, model=classifier)
    assert of_array.path == "array 0"
    np.testing.assert_allclose(of_array.probabilities, of_file.probabilities, atol=1e-5)


def test_a_frame_has_the_columns_of_a_results_file(
    classifier: serctl.Classifier, tmp_path: Path
) -> None:
    output = tmp_path / "r.csv"
    assert run(["classify", str(CALL), "-o", str(output), "--model", "paper-cnn"]) == 0
    frame = serctl.classify([CALL], model=classifier).to_frame()
    assert list(frame) == output.read_text().splitlines()[0].split(",")
    (row,) = read_results(output)[1]
    assert frame["emotion"].tolist() == [row.emotion]
    assert frame["confidence"].tolist() == [row.confidence]


def test_frames_without_rows_have_columns(classifier: serctl.Classifier) -> None:
    none = serctl.classify([], model=classifier)
    assert "emotion" in none.to_frame()
    assert "start_s" in none.segments_to_frame()


def test_long_recordings_have_segments(
    write_recording: Callable[..., str], tiny_folder: Path
) -> None:
    path = write_recording("long.wav", "speech", 40.0, rate_hz=16000)
    results = serctl.classify([CALL, path], model=tiny_folder)
    frame = results.segments_to_frame()
    assert len(results.segments) == len(frame) >= 1
    assert set(frame["path"]) == {path}
    assert frame["end_s"].max() <= 40.1


def test_what_cannot_be_read_raises_or_has_a_row(
    classifier: serctl.Classifier, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    with pytest.raises(AudioError, match=r"broken\.wav"):
        serctl.classify([CALL, broken], model=classifier)
    with pytest.raises(PathError, match=r'gone\.wav: does not exist.*errors="row"'):
        serctl.classify([tmp_path / "gone.wav"], model=classifier)
    rows = serctl.classify([CALL, broken, tmp_path / "gone.wav"], model=classifier, errors="row")
    assert [row.status for row in rows] == ["ok", "unreadable", "unreadable"]
    assert rows.probabilities_of(rows[1]) == {}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.zeros((2, 2, 2)), r"ndarray of shape \(2, 2, 2\)"),
        (np.zeros(100, np.int32), "samples are int32"),
        ([[0.0, 1.0]], "a recording is a list"),
        ([None], "a recording is a NoneType"),
    ],
)
def test_a_wrong_type_raises_at_once(
    classifier: serctl.Classifier, wrong: object, message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        serctl.classify(wrong, model=classifier, rate_hz=16000)  # type: ignore[arg-type]


def test_wrong_options_raise_at_once(classifier: serctl.Classifier) -> None:
    with pytest.raises(UsageError, match="rate_hz is missing"):
        serctl.classify(np.zeros(16000), model=classifier)
    with pytest.raises(UsageError, match="errors is 'ignore'"):
        serctl.classify(CALL, model=classifier, errors="ignore")  # type: ignore[arg-type]


def test_progress_is_shown_if_asked(
    classifier: serctl.Classifier, capsys: pytest.CaptureFixture[str]
) -> None:
    serctl.classify([CALL], model=classifier)
    assert capsys.readouterr() == ("", "")


def test_public_names_are_there() -> None:
    assert all(hasattr(serctl, name) for name in serctl.__all__)
    assert set(serctl.__all__) <= set(dir(serctl))
