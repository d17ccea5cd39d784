"""Which windows of a recording are classified."""

import numpy as np
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


def test_clips_keep_their_label_behind_room_tone(fold0, tmp_path):
    """50 of these did in windows every second. A network's label hangs on less than 32 ms, too."""
    paths = sorted(fold0.rglob("*.flac"))
    paths = [paths[i * len(paths) // N_CLIPS] for i in range(N_CLIPS)]
    classifier = Classifier("cnn", device="cpu")
    n_kept = 0
    for i, path in enumerate(paths):
        _, windows = read_windows(str(path), RATE_HZ, 60.0)
        clip = tmp_path / "clip.wav"
        soundfile.write(clip, behind_room_tone(next(windows), RATE_HZ, i), RATE_HZ, "FLOAT")
        n_kept += classifier.classify(clip).emotion == classifier.classify(path).emotion
    assert n_kept >= 54
