"""Timelines of conversations made of fold 0's or fold 1's clips, scored against what is known."""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import soundfile
from support.conversations import RATE_HZ, make_conversation, score

import serctl.train.corpora
from serctl.models.classifier import Classifier
from serctl.timeline.segments import TimelineSpec, find_segments, timeline_of

MANIFEST = Path(serctl.train.corpora.__file__).parent / "manifest.csv"
CORPORA = ("crema-d", "ravdess")


def clips_of_fold(folder, fold, emotions, n_most=None):
    """Test clips of a speaker fold at 16 kHz, by speaker and emotion.

    Parameters
    ----------
    folder : path
        Of the corpora; clips may be .flac in place of .wav.
    fold : int
        Of the manifest.
    emotions : sequence of str
        In the order of their numbers; calm is neutral.
    n_most : int, optional
        Of each speaker and emotion.
    """
    clips = defaultdict(lambda: defaultdict(list))
    with open(MANIFEST, newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["corpus"] in CORPORA]
    for row in rows:
        emotion = "neutral" if row["emotion"] == "calm" else row["emotion"]
        if (row["fold"], row["test"]) != (str(fold), "1") or emotion not in emotions:
            continue
        held = clips[row["speaker"]][emotions.index(emotion)]
        if n_most is not None and len(held) >= n_most:
            continue
        path = Path(folder, row["path"])
        path = path if path.exists() else path.with_suffix(".flac")
        samples, rate_hz = soundfile.read(path, dtype="float32")
        samples = samples if samples.ndim == 1 else samples.mean(axis=1)
        if rate_hz != RATE_HZ:
            import soxr

            samples = soxr.resample(samples, rate_hz, RATE_HZ)
        if np.abs(samples).max() > 1e-4:
            held.append(samples)
    return clips


def score_timelines(model, clips, seeds, duration_s, folder, specs):
    """Counts of `support.conversations.score` for each of several parameters, one a seed.

    Parameters
    ----------
    model : str
        Of `Classifier`.
    clips : mapping
        Of `clips_of_fold`.
    seeds, duration_s
        Of the conversations.
    folder : path
        For the recordings.
    specs : mapping of str to TimelineSpec
        Parameters.
    """
    classifier = Classifier(model, device="cpu")
    rate_hz = classifier.config.features.rate_hz
    counts = {name: [] for name in specs}
    for seed in seeds:
        samples, truth = make_conversation(clips, seed, duration_s)
        path = Path(folder, f"conversation-{seed}.wav")
        soundfile.write(path, samples, RATE_HZ)
        extraction = classifier.extract(path)
        starts_s = np.array(extraction.starts) / rate_hz
        ends_s = starts_s + np.array(extraction.lengths) / rate_hz
        probabilities = np.array(extraction.probabilities)
        for name, spec in specs.items():
            flags = (extraction.speech, 0.032)
            timeline = timeline_of(probabilities, starts_s, ends_s, flags, spec)
            segments = [(s.start_s, s.end_s, s.emotion) for s in find_segments(timeline, spec)]
            counts[name].append(score(timeline.emotions, segments, truth))
    return counts


SPECS = {
    "single windows": TimelineSpec(change_cost_nats=0.0, min_segment_s=0.0),
    "single windows, segments of 8 s": TimelineSpec(change_cost_nats=0.0),
    "mean over 10 s": TimelineSpec(change_cost_nats=0.0, mean_s=10.0, min_segment_s=0.0),
    "mean over 10 s, segments of 8 s": TimelineSpec(change_cost_nats=0.0, mean_s=10.0),
    "Viterbi": TimelineSpec(min_segment_s=0.0),
    "Viterbi, segments of 8 s": TimelineSpec(),
}
