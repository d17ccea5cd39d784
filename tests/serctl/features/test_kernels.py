import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import serctl
from serctl.features import kernels

N_FFT = 64


def frame_windowed_twin(samples, window, first_sample, hop_samples, n_frames):
    """Frames [n_frames, n_fft] of samples with as many zeros before and after as it takes."""
    n_fft = len(window)
    before = max(-first_sample, 0)
    after = max(first_sample + (n_frames - 1) * hop_samples + n_fft - len(samples), 0)
    padded = np.pad(samples, (before, after))
    starts = first_sample + before + hop_samples * np.arange(n_frames)
    return padded[starts[:, None] + np.arange(n_fft)] * window


def mel_power_twin(spectrum, weights):
    """Mel powers [n_frames, n_mels], with all of each filter."""
    return (np.abs(spectrum.astype(np.complex128)) ** 2) @ weights.astype(np.float64).T


def spectral_shape_twin(spectrum, roll_share):
    """Centroid and rolloff of each frame, in bins."""
    magnitude = np.abs(spectrum)
    bins, total = np.arange(magnitude.shape[1]), magnitude.sum(axis=1)
    centroids = (bins * magnitude).sum(axis=1) / np.where(total > 0, total, 1)
    reached = np.cumsum(magnitude, axis=1) >= roll_share * total[:, None]
    return centroids, reached.argmax(axis=1)


@settings(deadline=None)
@given(
    n_samples=st.integers(1, 400),
    first_sample=st.integers(-300, 600),
    hop_samples=st.integers(1, 100),
    n_frames=st.integers(1, 12),
)
@example(n_samples=1, first_sample=-N_FFT, hop_samples=1, n_frames=12)  # wholly before, then in
@example(n_samples=1, first_sample=-N_FFT - 1, hop_samples=1, n_frames=3)
@example(n_samples=400, first_sample=400, hop_samples=1, n_frames=2)  # wholly after
@example(n_samples=10, first_sample=-20, hop_samples=50, n_frames=1)  # longer than the clip
def test_frames_are_the_twins(n_samples, first_sample, hop_samples, n_frames):
    rng = np.random.default_rng(n_samples)
    samples = rng.standard_normal(n_samples).astype(np.float32)
    window = rng.uniform(0.1, 1, N_FFT).astype(np.float32)
    frames = np.full((n_frames, N_FFT), np.nan, np.float32)
    kernels.frame_windowed(samples, window, first_sample, hop_samples, frames)
    expected = frame_windowed_twin(samples, window, first_sample, hop_samples, n_frames)
    np.testing.assert_array_equal(frames, expected)


@settings(deadline=None)
@given(
    n_frames=st.integers(1, 8),
    spans=st.lists(st.tuples(st.integers(0, 33), st.integers(0, 33)).map(sorted), min_size=1),
)
def test_mel_powers_are_the_twins(n_frames, spans):
    n_bins = N_FFT // 2 + 1
    first_bins, last_bins = np.array(spans, np.int64).T
    bins = np.arange(n_bins)
    rng = np.random.default_rng(n_frames)
    weights = rng.uniform(0.1, 1, (len(spans), n_bins)).astype(np.float32)
    weights[(bins < first_bins[:, None]) | (bins >= last_bins[:, None])] = 0
    parts = rng.standard_normal((2, n_frames, n_bins)).astype(np.float32)
    spectrum = parts[0] + 1j * parts[1]
    assert spectrum.dtype == np.complex64
    mel = np.full((n_frames, len(spans)), np.nan, np.float32)
    kernels.mel_power(spectrum, first_bins, last_bins, weights, mel)
    np.testing.assert_allclose(mel, mel_power_twin(spectrum, weights), rtol=5e-7)


def test_mel_sums_are_carried_in_float64():
    # A float32 sum of these stays at 2**24, since each addend is less than half of its last place.
    spectrum = np.full((1, 4097), 1, np.complex64)
    spectrum[0, 0] = 2.0**12
    mel = np.empty((1, 1), np.float32)
    bounds = (np.array([0]), np.array([4097]))
    kernels.mel_power(spectrum, *bounds, np.ones((1, 4097), np.float32), mel)
    assert mel[0, 0] == 2**24 + 2**12


@settings(deadline=None)
@given(
    n_frames=st.integers(1, 6),
    n_bins=st.integers(1, 40),
    share_of_zeros=st.sampled_from([0.0, 0.5, 0.95, 1.0]),
    roll_share=st.sampled_from([0.05, 0.5, 0.85, 0.999]),
)
def test_spectral_shapes_are_the_twins(n_frames, n_bins, share_of_zeros, roll_share):
    rng = np.random.default_rng(n_frames * 100 + n_bins)
    spectrum = rng.standard_normal((n_frames, n_bins)) + 1j * rng.standard_normal(
        (n_frames, n_bins)
    )
    spectrum[rng.uniform(size=spectrum.shape) < share_of_zeros] = 0
    centroids, rolloffs = np.full((2, n_frames), np.nan)
    kernels.spectral_shape(spectrum, roll_share, centroids, rolloffs)
    expected = spectral_shape_twin(spectrum, roll_share)
    np.testing.assert_allclose(centroids, expected[0], rtol=1e-12)
    np.testing.assert_array_equal(rolloffs, expected[1])


@pytest.mark.parametrize(
    "kernel", [kernels.frame_windowed, kernels.mel_power, kernels.spectral_shape]
)
def test_kernels_release_the_gil_and_are_kept(kernel):
    assert kernel.targetoptions["nogil"]
    assert kernel.stats.cache_path is not None


def test_compiled_kernels_are_kept_where_they_can_be(tmp_path):
    # A package in a folder that cannot be written, as far as os.access says: root may write all.
    script = (
        "import os; access = os.access\n"
        f"package = {os.path.dirname(serctl.__file__)!r}\n"
        "os.access = lambda path, mode: not path.startswith(package) and access(path, mode)\n"
        "import numpy as np; from serctl.features import kernels\n"
        "kernels.frame_windowed(np.ones(3, 'f4'), np.ones(2, 'f4'), 0, 1, np.ones((2, 2), 'f4'))\n"
        "print(os.environ['NUMBA_CACHE_DIR'])"
    )
    environment = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}

    def folder_used(cache):
        command = [sys.executable, "-c", script]
        environment["XDG_CACHE_HOME"] = str(cache)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    cache = tmp_path / "cache"
    assert folder_used(cache) == str(cache / "serctl")
    assert [path.suffix for path in cache.rglob("*.nb?")] != []
    (tmp_path / "file").touch()
    private = folder_used(tmp_path / "file")
    assert os.path.basename(private).startswith("serctl-")
    assert not os.path.exists(private)
