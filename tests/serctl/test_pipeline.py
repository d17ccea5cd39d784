import itertools
import os

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from serctl.classifier import Classifier, Extraction
from serctl.pipeline import classify_recordings
from serctl.results import Result
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
        other = Classifier(str(tiny_folder), device="cpu", batch_size=batch_size)
        for result, known in zip(classify_recordings(mixed, other, 2), expected, strict=True):
            assert (result.path, result.status, result.emotion) == (
                known.path,
                known.status,
                known.emotion,
            )
            np.testing.assert_allclose(result.probabilities, known.probabilities, rtol=0, atol=1e-5)


def test_one_by_one_is_the_same_as_together(classifier, mixed):
    # Up to a place in the batch, which the network's arithmetic may depend on.
    for result in classify_recordings(mixed, classifier, 2):
        alone = classifier.classify(result.path)
        assert (alone.emotion, alone.status) == (result.emotion, result.status)
        np.testing.assert_allclose(alone.probabilities, result.probabilities, rtol=0, atol=1e-6)


class FakeClassifier:
    """Extracts from a path "n" n windows, numbered through, and classifies a number as itself."""

    emotions = ("angry", "sad")

    def __init__(self, batch_size):
        self.batch_size = batch_size
        self.batches = []
        self._numbers = itertools.count()

    def extract(self, path):
        n_windows = int(path)
        windows = [np.full(3, next(self._numbers), np.float32) for _ in range(n_windows)]
        return Extraction(path, windows=windows, lengths=[1] * n_windows)

    def probabilities(self, windows):
        self.batches.append([int(window[0]) for window in windows])
        return np.array([[window[0], -window[0]] for window in windows], np.float64)

    def result(self, extraction, probabilities):
        assert probabilities.shape == (len(extraction.lengths), 2)
        return extraction.path, [int(p) for p in probabilities[:, 0]], -probabilities[:, 1]


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), max_size=40), st.integers(1, 7))
@example([], 3)
@example([0, 0, 0], 1)
@example([9, 0, 0, 9], 3)
def test_every_recording_has_its_own_windows_whatever_the_batches(n_windows, batch_size):
    fake = FakeClassifier(batch_size)
    paths = [str(n) for n in n_windows]
    results = list(classify_recordings(paths, fake, 1))
    # The twin: windows are numbered through, so each recording has the next so many numbers.
    numbers = itertools.count()
    expected = [(path, [next(numbers) for _ in range(int(path))]) for path in paths]
    assert [(path, found) for path, found, _ in results] == expected
    assert all(negated.tolist() == found for _, found, negated in results)
    together = [number for batch in fake.batches for number in batch]
    assert together == list(range(sum(n_windows)))
    assert {len(batch) for batch in fake.batches[:-1]} <= {batch_size}


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
