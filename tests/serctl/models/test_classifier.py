import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support.fake_gpu import as_on_a_gpu, seen_by
from support.windowing import ONE_BY_ONE

from serctl.audio import decoding
from serctl.errors import ModelError, UsageError
from serctl.features import mel
from serctl.models.classifier import Classifier
from serctl.models.loading import Model, load_model
from serctl.weights import find_model

RATE_HZ = 22050  # the model's, so that files can be cut where windows are


@pytest.fixture
def with_emotions(tiny_folder):
    """Give a function that makes the tiny model's classifier choose between some emotions."""
    return lambda emotions: Classifier(
        str(tiny_folder), emotions, device="cpu", windowing=ONE_BY_ONE
    )


def test_a_recording_is_classified(classifier, write_recording):
    path = write_recording("a.wav", "speech", 1.5, 48000, 2)
    result = classifier.classify(path)
    assert (result.path, result.status, result.reason, result.windows) == (path, "ok", "", 1)
    assert (result.duration_s, result.sample_rate_hz, result.channels) == (1.5, 48000, 2)
    assert len(result.probabilities) == len(classifier.emotions) == 5
    assert sum(result.probabilities) == pytest.approx(1)
    assert result.confidence == max(result.probabilities)
    best = result.probabilities.index(result.confidence)
    assert result.emotion == classifier.emotions[best]


def test_paths_may_be_path_objects(classifier, tiny_folder, write_recording):
    path = Path(write_recording("a.wav"))
    result = Classifier(Path(tiny_folder), device="cpu", windowing=ONE_BY_ONE).classify(path)
    assert result == classifier.classify(str(path))
    assert result.path == str(path)
    assert classifier.extract(path).path == str(path)
    assert find_model(Path(tiny_folder)) == Path(tiny_folder)
    unreadable = classifier.classify(path.parent / "gone.wav")
    assert (unreadable.path, unreadable.status) == (str(path.parent / "gone.wav"), "unreadable")


def test_probabilities_are_the_softmax_of_logits_over_temperature(
    classifier, tiny_folder, write_recording
):
    path = write_recording("a.wav")
    (samples,) = decoding.read_windows(path, RATE_HZ, 30.0)[1]
    config = classifier.config
    statistics = mel.clip_statistics(samples, config.features)
    inputs = config.inputs.normalize(statistics, config.normalization, config.features)
    with torch.no_grad():
        logits = load_model(str(tiny_folder)).network(torch.from_numpy(inputs)[None])[0].numpy()
    exponentials = np.exp(logits / config.temperature)
    expected = exponentials / exponentials.sum()
    np.testing.assert_allclose(classifier.classify(path).probabilities, expected, rtol=1e-5)


def test_a_subset_of_emotions_is_the_softmax_over_these_alone(
    classifier, with_emotions, write_recording
):
    path = write_recording("a.wav")
    of_all = dict(zip(classifier.emotions, classifier.classify(path).probabilities, strict=True))
    of_two = with_emotions("sad, fear")
    assert of_two.emotions == ("fear", "sad")
    result = of_two.classify(path)
    chosen = np.array([of_all["fear"], of_all["sad"]])
    np.testing.assert_allclose(result.probabilities, chosen / chosen.sum(), rtol=1e-9)
    assert result.emotion in ("fear", "sad")


def test_an_unknown_emotion_is_wrong_usage(with_emotions):
    with pytest.raises(UsageError, match="neutral: not an emotion of this model"):
        with_emotions("neutral,sad")


@pytest.mark.parametrize("batch_size", [None, 1, 2, 64])
def test_a_long_recording_is_the_mean_of_its_windows(
    classifier, tiny_folder, write_recording, make_signal, batch_size
):
    if batch_size:  # a CPU classifies one window at a time
        classifier = as_on_a_gpu(tiny_folder, batch_size)
    parts = [
        make_signal(kind, duration_s * RATE_HZ, RATE_HZ)
        for kind, duration_s in (("speech", 30), ("noise", 30), ("chirp", 5))
    ]
    # The last window ends with the recording.
    windows = [*parts[:2], np.concatenate(parts)[-30 * RATE_HZ :]]
    alone = [
        classifier.classify(write_recording(f"{i}.flac", window, rate_hz=RATE_HZ)).probabilities
        for i, window in enumerate(windows)
    ]
    result = classifier.classify(write_recording("a.flac", np.concatenate(parts), rate_hz=RATE_HZ))
    assert (result.windows, result.duration_s) == (3, 65.0)
    assert np.ptp(alone, axis=0).max() > 0.3  # otherwise any mean would do
    expected = np.mean(alone, axis=0)
    np.testing.assert_allclose(result.probabilities, expected, rtol=0, atol=1e-6)


def test_silent_windows_and_a_recording_that_is_too_short_are_left_out(
    classifier, write_recording, make_signal
):
    sound = make_signal("noise", 30 * RATE_HZ, RATE_HZ)[:, 0]
    silence = np.zeros(30 * RATE_HZ)
    rest, short_rest = sound[: 5 * RATE_HZ], sound[: RATE_HZ // 10]

    def extract(*parts):
        return classifier.extract(write_recording("a.flac", np.concatenate(parts), rate_hz=RATE_HZ))

    every = extract(sound, silence, silence, rest)
    assert every.starts == [0, 65 * RATE_HZ]
    assert every.lengths == [30 * RATE_HZ] * 2
    nothing = extract(short_rest)
    assert (nothing.status, nothing.lengths) == ("too_short", [])


@pytest.mark.parametrize("rate_hz", [8000, RATE_HZ, 44100])
@pytest.mark.parametrize("peak", [0.0, 0.9 / 32768])
def test_silence_is_not_judged(classifier, write_recording, rate_hz, peak):
    path = write_recording("a.wav", np.full(2 * rate_hz, peak), 0, rate_hz, subtype="FLOAT")
    result = classifier.classify(path)
    assert (result.status, result.emotion, result.confidence) == ("silent", "", None)
    assert result.reason == "No sample reaches 1/32768 of full scale."
    assert (result.probabilities, result.windows, result.duration_s) == ((), 0, 2.0)


def test_the_quietest_sound_is_judged(classifier, write_recording):
    samples = np.zeros(RATE_HZ)
    samples[5000] = 1 / 32768
    path = write_recording("a.wav", samples, rate_hz=RATE_HZ, subtype="FLOAT")
    assert classifier.classify(path).status == "ok"


@pytest.mark.parametrize("n_frames", [0, 1, 3999])
def test_what_is_too_short_says_what_is_needed(classifier, write_recording, make_signal, n_frames):
    samples = make_signal("noise", n_frames, 16000) if n_frames else np.empty(0)
    result = classifier.classify(write_recording("a.wav", samples))
    assert result.status == "too_short"
    assert result.reason == f"{n_frames / 16000:.3f} s; at least 0.25 s are needed."
    assert (result.sample_rate_hz, result.channels, result.windows) == (16000, 1, 0)
    assert result.duration_s == n_frames / 16000


@pytest.mark.parametrize("rate_hz", [8000, 11025, 16000, RATE_HZ, 24414, 44100, 48000, 96000])
def test_the_shortest_that_will_do_is_judged(classifier, write_recording, rate_hz):
    n_frames = -(-rate_hz // 4)  # 0.25 s, rounded up
    path = write_recording("a.wav", "noise", n_frames / rate_hz, rate_hz)
    assert classifier.classify(path).status == "ok"
    path = write_recording("b.wav", "noise", (n_frames - 1) / rate_hz, rate_hz)
    assert classifier.classify(path).status == "too_short"


def test_what_cannot_be_read_is_told(classifier, write_recording, tmp_path):
    (tmp_path / "a.wav").write_text("not sound")
    result = classifier.classify(str(tmp_path / "a.wav"))
    assert result.status == "unreadable"
    assert result.reason.startswith("Format not recognised. Not audio, or damaged")
    assert (result.duration_s, result.sample_rate_hz, result.channels) == (None, None, None)
    samples = np.full((16000, 2), 0.1)
    samples[9000] = np.nan
    result = classifier.classify(write_recording("b.wav", samples, subtype="FLOAT"))
    assert (result.status, result.sample_rate_hz, result.channels) == ("unreadable", 16000, 2)
    assert result.reason.startswith("Invalid samples")
    assert result.duration_s is None  # what was decoded is not its length


def test_what_came_of_a_recording_that_breaks_off_is_judged(classifier, write_recording):
    path = write_recording("a.flac", "noise", 3.0)
    whole = classifier.classify(path)
    os.truncate(path, os.path.getsize(path) // 2)
    result = classifier.classify(path)
    assert (whole.status, whole.reason, result.status) == ("ok", "", "ok")
    assert result.reason.startswith("truncated: decoding broke off after 1.")
    assert 1 < result.duration_s < 1.5
    path = write_recording("b.wav", "noise", 3.0)
    os.truncate(path, 4000)
    result = classifier.classify(path)
    assert result.status == "too_short"
    assert re.fullmatch(r"0\.\d+ s; at least 0\.25 s are needed\. truncated: .*", result.reason)


def test_no_part_of_a_recording_with_no_sound_in_it_is_judged(
    monkeypatch, tiny_folder, write_recording
):
    monkeypatch.setattr(decoding, "BLOCK_FRAMES", 8000)
    model = load_model(str(tiny_folder))
    model = replace(model, config=replace(model.config, window_s=0.5))
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 80000)
    samples[40000] = np.inf
    path = write_recording("a.wav", samples, subtype="FLOAT")
    extraction = Classifier(model, device="cpu", windowing=ONE_BY_ONE).extract(path)
    assert extraction.recording.duration_s >= 1.5  # windows were there before
    assert (extraction.status, extraction.windows, extraction.lengths) == ("unreadable", [], [])


def test_what_goes_wrong_with_one_recording_is_its_row(monkeypatch, classifier, write_recording):
    def fail(samples, spec):
        raise ValueError("the moon is full")

    monkeypatch.setattr(mel, "mel_spectrogram", fail)
    result = classifier.classify(write_recording("a.wav"))
    assert (result.status, result.reason) == ("failed", "ValueError: the moon is full")
    assert (result.duration_s, result.windows) == (1.0, 0)


def with_weights(folder, value):
    """Model of a weights folder with the same number as every weight."""
    model = load_model(str(folder))
    learnt = {key: tensor for key, tensor in model.tensors.items() if tensor.dtype == np.float32}
    changed = {key: np.full_like(tensor, value) for key, tensor in learnt.items()}
    return replace(model, tensors=model.tensors | changed)


@pytest.mark.parametrize("weight", [float("nan"), float("inf")])
def test_a_network_that_gives_no_numbers_stops_the_run(tiny_folder, write_recording, weight):
    classifier = Classifier(with_weights(tiny_folder, weight), device="cpu")
    with pytest.raises(ModelError, match="tiny: its probabilities are not finite, so its w"):
        classifier.classify(write_recording("a.wav"))


def test_tensors_of_another_network_are_told(tiny_folder):
    model = load_model(str(tiny_folder))
    model = replace(model, tensors={"dense.0.weight": np.zeros(3, np.float32)})
    with pytest.raises(
        ModelError, match=r"tiny: tensor mel_branch\.0\.weight is missing, .* Train"
    ):
        Classifier(model, device="cpu")


def test_on_a_gpu_every_batch_has_one_shape(tiny_folder):
    classifier = as_on_a_gpu(tiny_folder, 4)
    seen = seen_by(classifier)
    probabilities = classifier.probabilities([np.ones(148, np.float32)] * 3)
    assert probabilities.shape == (3, 5)
    assert probabilities.dtype == np.float64
    assert (seen[0].shape, seen[0].dtype) == ((4, 148), torch.float64)
    assert seen[0].sum(dim=1).tolist() == [148, 148, 148, 0]


def test_a_loaded_model_is_taken(tiny_folder):
    model = load_model(str(tiny_folder))
    assert isinstance(model, Model)
    assert Classifier(model).config is model.config


@pytest.mark.parametrize("batch_size", [0, -1])
def test_a_batch_of_nothing_is_refused(tiny_folder, batch_size):
    with pytest.raises(UsageError, match=f"batch size {batch_size}: it must be at least 1"):
        Classifier(str(tiny_folder), batch_size=batch_size)


# Networks that take frames


@pytest.fixture
def framed(frames_folder):
    """Classifier, on the CPU, of a model that hears frames in windows of 2 s."""
    return Classifier(str(frames_folder), device="cpu", windowing=ONE_BY_ONE)


def random_windows(classifier, lengths_s):
    """Inputs of noise of so many lengths."""
    config, rng = classifier.config, np.random.default_rng(0)
    for length_s in lengths_s:
        n_samples = round(length_s * config.features.rate_hz)
        samples = rng.uniform(-0.5, 0.5, n_samples) * np.linspace(rng.random(), 1, n_samples)
        raw = config.inputs.extract(samples.astype(np.float32), config.features)
        yield config.inputs.normalize(raw, config.normalization, config.features)


def test_windows_of_frames_are_heard_one_by_one_at_their_own_length(
    framed, monkeypatch, write_recording
):
    config = framed.config
    path = write_recording("a.wav", "speech", 4.7, 16000)
    seen, hear = [], framed._inference.logits
    monkeypatch.setattr(framed._inference, "logits", lambda x: (seen.append(x.copy()), hear(x))[1])
    extraction = framed.extract(path)
    rate_hz = config.features.rate_hz
    (whole,) = decoding.read_windows(path, rate_hz, 60.0)[1]
    starts = [0, 2 * rate_hz, len(whole) - 2 * rate_hz]
    assert (extraction.starts, extraction.lengths) == (starts, [2 * rate_hz] * 3)
    expected = []
    for start in starts:
        raw = config.inputs.extract(whole[start : start + 2 * rate_hz], config.features)
        expected.append(config.inputs.normalize(raw, config.normalization, config.features)[None])
    # In any order, since several threads do it.
    assert sorted(given.tobytes() for given in seen) == sorted(x.tobytes() for x in expected)
    assert {given.dtype for given in seen} == {np.dtype(np.float32)}
    # Nothing of the windows is left but their probabilities.
    assert (extraction.windows, len(extraction.probabilities)) == ([], 3)
    result = framed.classify(path)
    assert (result.status, result.windows, len(result.probabilities)) == ("ok", 3, 6)
    expected = np.average(extraction.probabilities, axis=0, weights=extraction.lengths)
    assert result.probabilities == tuple(expected)
    assert np.ptp(extraction.probabilities, axis=0).max() > 1e-3  # otherwise any mean would do


def test_a_window_of_frames_is_judged_by_itself_alone(framed, frames_folder):
    windows = list(random_windows(framed, [0.3, 2, 1, 2, 0.3, 1.7, 2]))
    alone = np.concatenate([framed.probabilities([window]) for window in windows])
    assert (alone.std(axis=0) > 1e-3).any()
    np.testing.assert_array_equal(framed.probabilities(windows), alone)
    np.testing.assert_array_equal(framed.probabilities(windows[::-1]), alone[::-1])
    for batch_size in (2, 3, 64):
        batched = as_on_a_gpu(frames_folder, batch_size).probabilities(windows)
        np.testing.assert_allclose(batched, alone, rtol=0, atol=1e-5)


def test_on_a_gpu_windows_of_one_shape_fill_batches_of_one_size(framed, frames_folder):
    classifier = as_on_a_gpu(frames_folder, 3)
    seen = seen_by(classifier)
    windows = list(random_windows(framed, [0.3, 2, 2, 0.3, 2, 2]))
    assert classifier.probabilities(windows).shape == (6, 6)
    assert [batch.shape for batch in seen] == [
        (3, *windows[0].shape),
        (3, *windows[1].shape),
        (3, *windows[1].shape),
    ]
    filled = [batch.flatten(1).abs().sum(dim=1).count_nonzero().item() for batch in seen]
    assert filled == [2, 3, 1]


def test_on_a_gpu_a_long_recording_leaves_less_than_a_batch(framed, frames_folder, write_recording):
    path = write_recording("a.flac", "speech", 13.1, 16000)
    expected = framed.classify(path)
    batching = as_on_a_gpu(frames_folder, 3)
    extraction = batching.extract(path)
    assert (len(extraction.lengths), len(extraction.probabilities)) == (7, 6)
    assert len(extraction.windows) == 1
    result = batching.result(extraction, batching.probabilities(extraction.windows))
    assert (result.windows, result.emotion) == (expected.windows, expected.emotion)
    np.testing.assert_allclose(result.probabilities, expected.probabilities, rtol=0, atol=1e-5)


def test_silent_windows_are_not_classified(framed, write_recording, make_signal):
    rate_hz = framed.config.features.rate_hz  # so that windows are where they are in the file
    sound = make_signal("noise", 2 * rate_hz, rate_hz)[:, 0]
    silence, short_rest = np.zeros(4 * rate_hz), sound[: rate_hz // 5]

    def write(*parts):
        return write_recording("a.flac", np.concatenate(parts), rate_hz=rate_hz)

    extraction = framed.extract(write(silence, sound, silence, short_rest))
    assert [start // rate_hz for start in extraction.starts] == [4, 8]  # the last one has the rest
    assert len(extraction.probabilities) == 2
    result = framed.classify(write(silence))
    assert (result.status, result.windows, result.probabilities) == ("silent", 0, ())


def test_of_a_recording_that_fails_no_window_counts(monkeypatch, framed, write_recording):
    monkeypatch.setattr(decoding, "BLOCK_FRAMES", 8000)
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 80000)
    samples[70000] = np.inf
    path = write_recording("a.wav", samples, subtype="FLOAT")
    extraction = framed.extract(path)
    assert extraction.recording.n_frames > 32000  # of more than a window
    assert (extraction.status, extraction.lengths) == ("unreadable", [])
    assert (extraction.probabilities, extraction.windows) == ([], [])
    assert framed.result(extraction, framed.probabilities([])).probabilities == ()


def test_a_network_of_frames_that_gives_no_numbers_stops_the_run(frames_folder, write_recording):
    model = with_weights(frames_folder, float("nan"))
    with pytest.raises(ModelError, match="framed: its probabilities are not finite"):
        Classifier(model, device="cpu").extract(write_recording("a.wav"))


def test_emotions_can_be_chosen_of_a_network_of_frames(framed, frames_folder, write_recording):
    path = write_recording("a.wav")
    of_all = dict(zip(framed.emotions, framed.classify(path).probabilities, strict=True))
    two = Classifier(
        str(frames_folder), "sad, neutral", device="cpu", windowing=ONE_BY_ONE
    ).classify(path)
    chosen = np.array([of_all["sad"], of_all["neutral"]])
    np.testing.assert_allclose(two.probabilities, chosen / chosen.sum(), rtol=1e-9)


def test_a_model_is_a_path_too_and_emotions_a_list(tiny_folder):
    emotions = Classifier(Path(tiny_folder), ["sad", "angry"], "cpu").emotions
    assert emotions == Classifier(str(tiny_folder), "sad,angry", "cpu").emotions
    assert len(emotions) == 2
