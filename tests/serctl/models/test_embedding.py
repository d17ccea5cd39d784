import numpy as np
import pytest

from serctl.audio.decoding import read_windows
from serctl.features.whisper import WHISPER_SPEC, whisper_log_mel
from serctl.models.embedding import bundled_embedder, embedding_features

EMBEDDING = embedding_features()


def embedded(samples):
    frames = whisper_log_mel(samples, WHISPER_SPEC)
    return bundled_embedder()(np.ascontiguousarray(frames.T)), len(frames)


def test_a_short_recording_is_one_window(write_recording):
    path = write_recording("a.wav", "speech", 2.0)
    _, windows = read_windows(path, 16_000, 8.0)
    description = EMBEDDING.describe(path, lambda: None)
    np.testing.assert_array_equal(description.values, embedded(next(windows))[0])
    assert description.duration_s == 2.0
    assert description.level_dbfs == pytest.approx(-18, abs=8)


def test_a_long_recording_is_the_mean_of_its_windows(write_recording):
    path = write_recording("a.wav", "speech", 11.0)
    both = [embedded(window) for window in read_windows(path, 16_000, 8.0)[1]]
    n_calls = []
    description = EMBEDDING.describe(path, lambda: n_calls.append(1))
    assert len(n_calls) == len(both) == 2
    (first, n_first), (second, n_second) = both
    expected = (n_first * first + n_second * second) / (n_first + n_second)
    np.testing.assert_allclose(description.values, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "duration_s", "status"), [("silence", 1.0, "silent"), ("speech", 0.2, "too_short")]
)
def test_what_cannot_be_embedded_says_so(write_recording, kind, duration_s, status):
    description = EMBEDDING.describe(write_recording("a.wav", kind, duration_s), lambda: None)
    assert description.status == status
    assert description.reason
    assert len(description.values) == 0


def test_a_remainder_that_is_too_short_does_not_count(write_recording):
    samples = np.tile([0.1, -0.1], 8 * 8000 + 50)
    description = EMBEDDING.describe(write_recording("a.wav", samples), lambda: None)
    expected, _ = embedded(np.tile([0.1, -0.1], 8 * 8000).astype(np.float32))
    np.testing.assert_allclose(description.values, expected, rtol=1e-3, atol=1e-3)
