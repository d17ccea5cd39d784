import itertools
import os

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.fake_gpu import as_on_a_gpu
from support.windowing import ONE_BY_ONE

from serctl.engine.pipeline import classify_recordings
from serctl.models.classifier import Classifier, Extraction
from serctl.results.schema import Result
from serctl.threads import AHEAD_PER_WORKER


@pytest.fixture
def mixed(write_recording, tmp_path):
    """Paths of recordings of many kinds, some of them broken, of lengths that finish out of order."""
    paths = []
    for i, kind in enumerate(("noise", "tone", "chirp", "speech", "click", "silence") * 3):
        duration_s, rate_hz = (0.1, 0.5, 4.0)[i % 3], (8000, 44100, 22050, 48000)[i % 4]
        paths.append(write_recording(f"{i}.wav", kind, duration_s, rate_hz, 1 + i % 2))
    paths.insert(3, write_recording("long.flac", "speech", 65.0, 8000))
    (tmp_path / "text.wav").write_text("not sound")
    truncated = write_recording("cut.flac", "noise", 3.0)
    os.truncate(truncated, 20000)
    return [*paths, str(tmp_path / "text.wav"), truncated, paths[0], str(tmp_path / "gone.wav")]


def test_results_are_the_same_for_any_number_of_workers(classifier, mixed):
    expected = list(classify_recordings(mixed, classifier, 1))
    assert [result.path for result in expected] == mixed
    statuses = [result.status for result in expected]
    assert set(statuses) == {"ok", "too_short", "silent", "unreadable"}
    assert statuses[-4:-2] == ["unreadable", "ok"]  # no audio; a FLAC that breaks off
    assert (expected[3].status, expected[3].windows) == ("ok", 3)
    for n_workers in (2, 8, None):
        assert list(classify_recordings(mixed, classifier, n_workers)) == expected


def test_results_hardly_depend_on_the_size_of_a_batch(tiny_folder, classifier, mixed):
    expected = list(classify_recordings(mixed, classifier, 2))
    for batch_size in (1, 3, 200):
        other = Classifier(
            str(tiny_folder), device="cpu", batch_size=batch_size, windowing=ONE_BY_ONE
        )
        for result, known in zip(classify_recordings(mixed, other, 2), expected, strict=True):
            assert (result.path, result.status, result.emotion) == (
                known.path,
                known.status,
                known.emotion,
            )
            np.testing.assert_allclose(result.probabilities, known.probabilities, rtol=0, atol=1e-5)


def test_one_by_one_is_the_same_as_together(classifier, mixed):
    for result in classify_recordings(mixed, classifier, 2):
        assert classifier.classify(result.path) == result


@pytest.mark.parametrize("batch_size", [1, 5, 64])
def test_statistics_in_batches_as_on_a_gpu_give_nearly_the_same(
    classifier, tiny_folder, mixed, batch_size
):
    expected = list(classify_recordings(mixed, classifier, 1))
    batching = as_on_a_gpu(tiny_folder, batch_size)
    results = list(classify_recordings(mixed, batching, 2))
    assert list(classify_recordings(mixed, batching, 8)) == results
    for result, known in zip(results, expected, strict=True):
        assert (result.path, result.emotion) == (known.path, known.emotion)
        np.testing.assert_allclose(result.probabilities, known.probabilities, rtol=0, atol=1e-5)


@pytest.fixture
def framed(frames_folder):
    """Classifier, on the CPU, of a model that hears frames in windows of 2 s."""
    return Classifier(str(frames_folder), device="cpu", batch_size=5, windowing=ONE_BY_ONE)


def test_frames_give_the_same_results_for_any_number_of_workers(framed, mixed):
    expected = list(classify_recordings(mixed, framed, 1))
    assert [result.path for result in expected] == mixed
    assert (expected[3].status, expected[3].windows) == ("ok", 33)
    assert len({result.probabilities for result in expected}) > 7
    for n_workers in (2, 8):
        assert list(classify_recordings(mixed, framed, n_workers)) == expected
    assert [framed.classify(path) for path in mixed] == expected


@pytest.mark.parametrize("batch_size", [1, 5, 64])
def test_frames_in_batches_as_on_a_gpu_give_nearly_the_same(
    framed, frames_folder, mixed, batch_size
):
    expected = list(classify_recordings(mixed, framed, 1))
    batching = as_on_a_gpu(frames_folder, batch_size)
    results = list(classify_recordings(mixed, batching, 2))
    assert list(classify_recordings(mixed, batching, 8)) == results
    for result, known in zip(results, expected, strict=True):
        assert (result.path, result.status) == (known.path, known.status)
        assert (result.emotion, result.windows) == (known.emotion, known.windows)
        np.testing.assert_allclose(result.probabilities, known.probabilities, rtol=0, atol=1e-5)


class FakeClassifier:
    """Extracts from a path "n" n windows, numbered through, and classifies a number as itself.

    A window's length is one of three.
    """

    emotions = ("angry", "sad")

    def __init__(self, batch_size, n_lengths):
        self.batch_size = batch_size
        self.n_lengths = n_lengths
        self.batches = []
        self._numbers = itertools.count()

    def extract(self, path):
        n_windows = int(path)
        numbers = itertools.islice(self._numbers, n_windows)
        windows = [np.full(1 + self.length(number), number, np.float32) for number in numbers]
        return Extraction(path, windows=windows, lengths=[1] * n_windows)

    def length(self, number):
        return number * 7 // 4 % self.n_lengths

    def probabilities(self, windows):
        assert len({len(window) for window in windows}) == 1
        self.batches.append([int(window[0]) for window in windows])
        return np.array([[window[0], -window[0]] for window in windows], np.float64)

    def result(self, extraction, probabilities):
        assert probabilities.shape == (len(extraction.lengths), 2)
        return extraction.path, [int(p) for p in probabilities[:, 0]], -probabilities[:, 1]


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), max_size=40), st.integers(1, 7), st.integers(1, 3))
@example([], 3, 1)
@example([0, 0, 0], 1, 1)
@example([9, 0, 0, 9], 3, 1)
@example([1, *[0] * 20, 1, 2], 2, 1)  # so many behind it that a window waits no longer
@example([2, *[1] * 40], 2, 3)
def test_every_recording_has_its_own_windows_whatever_the_batches(n_windows, batch_size, n_lengths):
    fake = FakeClassifier(batch_size, n_lengths)
    paths = [str(n) for n in n_windows]
    results = list(classify_recordings(paths, fake, 1))
    # The twin: windows are numbered through, so each recording has the next so many numbers.
    numbers = itertools.count()
    expected = [(path, [next(numbers) for _ in range(int(path))]) for path in paths]
    assert [(path, found) for path, found, _ in results] == expected
    assert all(negated.tolist() == found for _, found, negated in results)
    # Those of one length are classified in their order, each once.
    for length in range(n_lengths):
        together = [n for batch in fake.batches for n in batch if fake.length(n) == length]
        every = range(sum(n_windows))
        assert together == [number for number in every if fake.length(number) == length]
    assert all(len(batch) <= batch_size for batch in fake.batches)


@pytest.mark.parametrize("n_lengths", [1, 3])
def test_batches_are_full_until_the_last_of_each_length(n_lengths):
    fake = FakeClassifier(4, n_lengths)
    results = list(classify_recordings(["1"] * 50, fake, 1))
    assert len(results) == 50
    assert sum(len(batch) < 4 for batch in fake.batches) <= n_lengths


def test_few_recordings_wait_for_a_batch():
    fake = FakeClassifier(2, 3)
    paths = ("1" if i == 0 else "0" for i in itertools.count())
    assert next(iter(classify_recordings(paths, fake, 1)))[:2] == ("1", [0])


def test_results_come_while_others_are_still_read(classifier, write_recording):
    path = write_recording("a.wav")
    drawn = itertools.count()

    def endless():
        for _ in drawn:
            yield path

    results = classify_recordings(endless(), classifier, 2)
    first = next(results)
    results.close()
    assert isinstance(first, Result)
    assert next(drawn) <= classifier.batch_size + AHEAD_PER_WORKER * 2 + 2
