"""Speech detection: the bundled detector, and the rule that turns probabilities into speech."""

import numpy as np
import pytest
from support.sounds import SOUNDS, sound

from serctl.audio import speech
from serctl.audio.speech import SpeechRule, SpeechStream, speech_probabilities, stretches
from serctl.errors import ModelError

RULE = SpeechRule(threshold=0.5, max_gap_s=0.5, min_speech_s=0.1, pad_s=0.064)


def noise(n_samples):
    return (0.1 * np.random.default_rng(0).standard_normal(n_samples)).astype(np.float32)


@pytest.mark.parametrize("rate_hz", [16000, 22050])
@pytest.mark.parametrize("block", [1, 511, 512, 4097])
def test_probabilities_do_not_depend_on_the_blocks(block, rate_hz):
    samples = noise(1100 if block == 1 else 20000)
    stream = SpeechStream(rate_hz)
    parts = [stream.feed(samples[i : i + block]) for i in range(0, len(samples), block)]
    parts.append(stream.feed(np.zeros(0, np.float32), last=True))
    at_once = speech_probabilities(samples, rate_hz)
    assert np.array_equal(np.concatenate(parts), at_once)
    assert len(at_once) == np.ceil(np.ceil(len(samples) * 16000 / rate_hz) / 512)


def test_a_recording_without_samples_has_no_frames():
    assert len(SpeechStream(16000).feed(np.zeros(0, np.float32), last=True)) == 0


@pytest.mark.parametrize("name", SOUNDS)
def test_what_is_no_speech_does_not_vote(name):
    assert not SpeechRule().holds_speech(speech_probabilities(sound(name, 3, 4.0), 16000))


def test_speech_of_people_is_found(fold0):
    from serctl.audio.decoding import read_windows

    _, windows = read_windows(str(fold0 / "CREMA-D/AudioWAV/1004_IEO_ANG_MD.flac"), 16000, 60)
    probabilities = speech_probabilities(np.concatenate(list(windows)), 16000)
    assert SpeechRule().holds_speech(probabilities)
    assert 0.3 < SpeechRule().speech_frames(probabilities).mean() < 1


def frames(text):
    """Probabilities: 1 for x and 0 for a dot."""
    return np.array([letter == "x" for letter in text], np.float32)


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ("", ""),
        (".....", "....."),
        (".....xx.....", "............"),  # 64 ms is too short
        (".....xxxx.....", "...xxxxxxxx..."),  # padded by two frames
        ("xxxx.....", "xxxxxx..."),
        ("xxxx" + 15 * "." + "xxxx", 23 * "x"),  # a gap of 0.48 s
        ("xxxx" + 16 * "." + "xxxx", "xxxxxx" + 12 * "." + "xxxxxx"),  # of 0.512 s
    ],
)
def test_gaps_are_closed_and_blips_left_out(probabilities, expected):
    found = RULE.speech_frames(frames(probabilities))
    assert found.tolist() == frames(expected).astype(bool).tolist()


def test_a_stretch_needs_a_frame_that_is_surely_speech():
    rule = SpeechRule(threshold=0.1, peak=0.5, min_speech_s=0.1, pad_s=0.0)
    probabilities = np.repeat([0.0, 0.3, 0.0, 0.3, 0.6, 0.0], [5, 20, 20, 10, 10, 5])
    assert stretches(rule.speech_frames(probabilities))[0].tolist() == [45]


def test_a_window_votes_from_a_third_of_a_second_on():
    assert not SpeechRule().holds_speech(frames(10 * "x" + 50 * "."))
    assert SpeechRule().holds_speech(frames(11 * "x" + 50 * "."))
    assert not SpeechRule().holds_speech(frames("xxx....."))
    assert SpeechRule().holds_speech(frames("xxxx...."))  # a recording of a quarter of a second
    assert not SpeechRule().holds_speech(frames(""))


def test_stretches_of_flags():
    starts, ends = stretches(np.array([1, 1, 0, 0, 1], bool))
    assert (starts.tolist(), ends.tolist()) == ([0, 4], [2, 5])


def test_a_changed_graph_is_refused(monkeypatch):
    monkeypatch.setattr(speech, "GRAPH_SHA256", "0" * 64)
    speech._session.cache_clear()
    with pytest.raises(ModelError, match="SHA-256"):
        SpeechStream(16000)
    speech._session.cache_clear()
