"""Micro-benchmarks: each stage of classifying one clip of 2.9 s, on one thread.

python -m pytest benchmarks/test_stages.py
"""

import numpy as np
import pytest
import soundfile
import soxr
from synthetic_clips import MEAN_S, SEED, clip

from serctl.audio import decoding
from serctl.features import mel
from serctl.features.mel import MelSpec
from serctl.models.classifier import Classifier
from serctl.weights import bundled_models

RATES_HZ = (16000, 24414, 48000)
CLASSIFIERS = {name: Classifier(name, device="cpu") for name in bundled_models()}


def samples_at(rate_hz):
    return clip(rate_hz, MEAN_S, np.random.default_rng(SEED))[:, 0]


@pytest.fixture
def recording(tmp_path):
    """Give a function that writes the clip at a rate as WAV."""

    def write(rate_hz):
        path = str(tmp_path / f"{rate_hz}.wav")
        soundfile.write(path, samples_at(rate_hz), rate_hz)
        return path

    return write


def decoded(path, rate_hz):
    return list(decoding.read_windows(path, rate_hz, 30.0)[1])


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_decode(benchmark, recording, rate_hz):
    benchmark(decoded, recording(rate_hz), rate_hz)


@pytest.mark.parametrize("to_hz", [16000, 22050])
@pytest.mark.parametrize("rate_hz", [24414, 48000])
def test_decode_and_resample(benchmark, recording, rate_hz, to_hz):
    benchmark(decoded, recording(rate_hz), to_hz)


@pytest.mark.parametrize("rate_hz", [24414, 48000])
def test_resample_alone(benchmark, rate_hz):
    benchmark(soxr.resample, samples_at(rate_hz), rate_hz, 22050)


SPECS = {name: one.config.features for name, one in CLASSIFIERS.items()}


@pytest.mark.parametrize("spec", set(SPECS.values()), ids=lambda spec: f"{spec.rate_hz}Hz")
def test_mel_spectrogram(benchmark, spec: MelSpec):
    benchmark(mel.mel_spectrogram, samples_at(spec.rate_hz), spec)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_input(benchmark, name):
    classifier = CLASSIFIERS[name]
    benchmark(classifier.input_of, samples_at(classifier.config.features.rate_hz))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_network(benchmark, name):
    classifier = CLASSIFIERS[name]
    window = classifier.input_of(samples_at(classifier.config.features.rate_hz))
    benchmark(classifier.probabilities, [window])


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classify(benchmark, recording, name):
    benchmark(CLASSIFIERS[name].classify, recording(24414))
