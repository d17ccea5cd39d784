"""The network run once over a long recording, against windows one by one."""

import dataclasses

import numpy as np
import pytest

from serctl.audio.windows import Windowing
from serctl.models.classifier import Classifier
from serctl.models.inference import GraphInference, graph_session
from serctl.models.inputs import log_mel
from serctl.models.loading import load_model
from serctl.models.networks import cnn_graph
from serctl.models.networks.builder import INPUT, SPEECH, STEPS, GraphBuilder
from serctl.models.windows.sliding import SlidingInference, can_slide
from serctl.models.windows.spectrogram import sliding_log_mel, sliding_max

RATE_HZ = 16000


@pytest.fixture(scope="module")
def model():
    return load_model("cnn")


@pytest.fixture
def speech(make_signal):
    """41 s, some of which is another sound."""
    parts = (("speech", 14), ("noise", 7), ("chirp", 6), ("speech", 14))
    made = [make_signal(kind, seconds * RATE_HZ, RATE_HZ)[:, 0] for kind, seconds in parts]
    return np.concatenate(made).astype(np.float32)


def windows_of(samples, window_s=4, hop_s=1):
    for start in range(0, len(samples) - window_s * RATE_HZ + 1, hop_s * RATE_HZ):
        yield start, samples[start : start + window_s * RATE_HZ]


def all_logits(sliding, windows, **options):
    return np.concatenate([sliding.logits(block) for block in sliding.blocks(windows, **options)])


def test_a_window_that_is_the_whole_spectrogram_is_the_network_itself(model):
    frames = np.random.default_rng(0).standard_normal((1, 64, 416), np.float32)
    builder = GraphBuilder(model.tensors)
    logits = cnn_graph.sliding_graph(builder, INPUT, SPEECH, STEPS, 2 * 416, 6)
    session = graph_session(builder.model(logits, slides=True))
    (found,) = session.run(
        None, {INPUT: frames, SPEECH: np.ones(416, np.float32), STEPS: np.arange(26)[None]}
    )
    np.testing.assert_allclose(found, GraphInference(model).logits(frames), rtol=0, atol=1e-4)


def test_levels_over_the_whole_recording_are_those_of_a_window(model, speech):
    spec = model.config.features
    expected = log_mel(speech, spec)
    frames, is_speech = sliding_log_mel(speech, spec, 10_000)
    found = frames[: len(expected)]  # nothing is trimmed of it
    assert len(expected) > len(speech) // spec.hop_samples - 3
    no_pause = is_speech[: len(expected)].copy()
    no_pause[-2:] = False
    assert no_pause.mean() > 0.5
    # The level is that of speech alone, and the same everywhere.
    difference = (found - expected)[no_pause & (expected > -35).all(axis=1)]
    np.testing.assert_allclose(difference, np.median(difference), rtol=0, atol=0.01)
    assert abs(np.median(difference)) < 2


def test_levels_follow_the_sound_around(model, speech):
    spec = model.config.features
    louder = np.concatenate([speech, 100 * speech])
    found, _ = sliding_log_mel(louder, spec, 400)
    n = len(speech) // spec.hop_samples
    # Gain has no effect but within a window of where it changes.
    np.testing.assert_allclose(
        found[n + 610 : 2 * n - 610], found[610 : n - 610], rtol=0, atol=0.01
    )


def with_pause(speech, level):
    pause = level * np.random.default_rng(0).standard_normal(3 * RATE_HZ).astype(np.float32)
    return np.concatenate([speech[: 8 * RATE_HZ], pause, speech[: 8 * RATE_HZ]])


def test_pauses_are_at_the_floor_and_have_no_part_in_the_level(model, speech):
    spec = model.config.features
    frames, is_speech = sliding_log_mel(with_pause(speech, 1e-4), spec, 400)
    middle = slice(810, 1090)  # frames of the pause, without the margins
    assert not is_speech[middle].any()
    assert (frames[middle] == -spec.top_db).all()
    without, _ = sliding_log_mel(speech[: 8 * RATE_HZ], spec, 400)
    found = frames[150:600][is_speech[150:600]]
    np.testing.assert_allclose(found, without[150:600][is_speech[150:600]], rtol=0, atol=1.0)


def test_what_sounds_in_a_pause_has_no_effect(model, speech):
    sliding = SlidingInference(model, Windowing())
    silent, noisy = (all_logits(sliding, windows_of(with_pause(speech, x))) for x in (0, 1e-4))
    np.testing.assert_allclose(noisy, silent, rtol=0, atol=0.1)
    assert np.ptp(silent, axis=0).max() > 0.5


@pytest.mark.parametrize("half", [0, 1, 2, 5, 6, 7, 50])
def test_sliding_maximum(half):
    values = np.random.default_rng(half).standard_normal(40)
    expected = [values[max(i - half, 0) : i + half + 1].max() for i in range(40)]
    np.testing.assert_array_equal(sliding_max(values, half), expected)


def test_logits_do_not_depend_on_where_blocks_begin(model, speech):
    sliding = SlidingInference(model, Windowing())
    whole = all_logits(sliding, windows_of(speech))
    assert len(whole) == 38
    assert np.ptp(whole, axis=0).max() > 0.5  # otherwise any window would do for any other
    for block_s in (3.7, 11.0):
        cut = all_logits(sliding, windows_of(speech), block_s=block_s)
        np.testing.assert_allclose(cut, whole, rtol=0, atol=1e-4)


def test_logits_are_close_to_those_of_single_windows(model, speech):
    plain = GraphInference(model)
    alone = np.concatenate(
        [plain.logits(model.config.input_of(one)[None]) for _, one in windows_of(speech)]
    )
    found = all_logits(SlidingInference(model, Windowing()), windows_of(speech))
    assert np.corrcoef(found.ravel(), alone.ravel())[0, 1] > 0.9


def test_what_lies_between_runs_is_not_looked_at(model, speech):
    sliding = SlidingInference(model, Windowing())
    windows = [one for one in windows_of(speech) if not 10 * RATE_HZ <= one[0] < 20 * RATE_HZ]
    changed = speech.copy()
    changed[14 * RATE_HZ : 20 * RATE_HZ] = 0.5
    others = [one for one in windows_of(changed) if not 10 * RATE_HZ <= one[0] < 20 * RATE_HZ]
    np.testing.assert_array_equal(all_logits(sliding, others), all_logits(sliding, windows))


@pytest.mark.parametrize("window_s", [0.25, 2.0, 8.0])
def test_windows_of_other_lengths_slide(model, speech, window_s):
    sliding = SlidingInference(model, Windowing(window_s=window_s, hop_s=0.1))
    n = round(window_s * RATE_HZ)
    windows = [(start, speech[start : start + n]) for start in range(0, 10 * RATE_HZ, 1600)]
    found = all_logits(sliding, windows)
    assert found.shape == (100, 6)
    assert np.isfinite(found).all()


def test_only_windows_that_overlap_slide(model):
    assert can_slide(model.config, Windowing(window_s=4, hop_s=2))
    assert not can_slide(model.config, Windowing(window_s=4, hop_s=2.1))
    assert not can_slide(load_model("paper-cnn").config, Windowing())
    # Windows are no longer than the model's.
    shorter = dataclasses.replace(model.config, window_s=2.0)
    assert not can_slide(shorter, Windowing(window_s=4, hop_s=2))


def test_a_long_recording_is_classified_so(model, speech, write_recording):
    path = write_recording("a.flac", speech, rate_hz=RATE_HZ)
    classifier = Classifier(model, device="cpu", windowing=Windowing(speech="off"))
    extraction = classifier.extract(path)
    assert extraction.starts == list(range(0, 38 * RATE_HZ, RATE_HZ))
    stored = np.round(speech * 32768).clip(-32768, 32767) / np.float32(32768)
    windows = windows_of(stored.astype(np.float32))
    logits = all_logits(SlidingInference(model, Windowing()), windows)
    found = np.array(extraction.probabilities)
    np.testing.assert_allclose(found, classifier.chosen(logits), rtol=0, atol=5e-3)
