"""Which windows of a recording are classified."""

import numpy as np
import pytest
import soundfile

from serctl.audio.decoding import read_windows
from serctl.models.classifier import Classifier

RATE_HZ = 16000
N_CLIPS = 60


def behind_room_tone(samples, rate_hz, seed):
    """A clip behind 20 s of noise at -65 dBFS."""
    room = np.random.default_rng(seed).standard_normal(20 * rate_hz) * 10 ** (-65 / 20)
    return np.concatenate([room, samples])


def test_a_few_words_behind_room_tone_are_a_stretch_of_their_own(
    frames_folder, write_recording, make_signal
):
    spoken = make_signal("speech", round(0.6 * RATE_HZ), RATE_HZ)[:, 0]
    path = write_recording("a.wav", behind_room_tone(spoken, RATE_HZ, 0))
    classifier = Classifier(str(frames_folder), device="cpu")
    extraction = classifier.extract(path)
    rate_hz = classifier.config.features.rate_hz
    assert extraction.is_long
    assert 0.3 < extraction.speech_s < 1.2
    lengths_s = np.array(extraction.lengths) / rate_hz
    starts_s = np.array(extraction.starts) / rate_hz
    assert (starts_s > 18.5).all()
    assert (starts_s < 20.2).all()
    assert len(starts_s) == 1
    assert (lengths_s <= 2.0).all()


@pytest.fixture(scope="module")
def clips(fold0):
    """Some clips at 16 kHz, and the label of each."""
    paths = sorted(fold0.rglob("*.flac"))
    paths = [str(paths[i * len(paths) // N_CLIPS]) for i in range(N_CLIPS)]
    classifier = Classifier("cnn", device="cpu")
    samples = [next(read_windows(path, RATE_HZ, 60.0)[1]) for path in paths]
    return classifier, samples, [classifier.classify(path).emotion for path in paths]


def n_kept(clips, change, tmp_path):
    """How many clips have the same label once they are changed."""
    classifier, samples, labels = clips
    path = tmp_path / "clip.wav"
    kept = 0
    for i, (clip, label) in enumerate(zip(samples, labels, strict=True)):
        soundfile.write(path, change(clip, i), RATE_HZ, "FLOAT")
        kept += classifier.classify(path).emotion == label
    return kept


def test_clips_keep_their_label_behind_room_tone(clips, tmp_path):
    """A network's label hangs on less than 32 ms, too."""
    assert n_kept(clips, lambda clip, i: behind_room_tone(clip, RATE_HZ, i), tmp_path) >= 57


@pytest.mark.parametrize("offset", [0.02, 0.05, 0.1])
def test_clips_keep_their_label_with_a_dc_offset(clips, offset, tmp_path):
    assert n_kept(clips, lambda clip, i: clip + offset, tmp_path) >= 58
