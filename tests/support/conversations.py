"""Long recordings whose emotions are known, made of labelled clips; and how right a timeline is.

A recording is made of turns: one speaker for minutes, runs of 10 to 60 s of one emotion, pauses of
0.3 to 4 s, the noise of a room all along, and now and then something that is no speech, or a long
silence. Where somebody speaks is known by the level within each clip, since clips have room noise
at their ends. Truth has a frame every 0.1 s.
"""

import itertools
from dataclasses import dataclass, field

import numpy as np
from support.sounds import SOUNDS, sound

RATE_HZ = 16000
FRAME_S = 0.1
FRAME = round(FRAME_S * RATE_HZ)
SPEECH_BELOW_PEAK_DB, SPEECH_ABOVE_FLOOR_DB = 30.0, 4.0
LONGEST_DIP = 3  # frames between louder ones, as closures within words are
EVENTS = ("music", "hold music", "ring tone", "applause", "white noise", "line noise", "typing")
NOBODY = -1


@dataclass
class Truth:
    """What is known of a recording."""

    emotions: np.ndarray  # int [n_frames]: of the speech there, or NOBODY
    events: np.ndarray  # bool [n_frames]
    segments: list = field(default_factory=list)  # (start_s, end_s, emotion), runs of one emotion


def speech_frames(samples):
    """Frames of a clip that hold speech: above its room's noise, and not far below the loudest."""
    n = len(samples) // FRAME
    power = (samples[: n * FRAME].astype(float).reshape(n, FRAME) ** 2).mean(axis=1)
    decibels = 10 * np.log10(power + 1e-12)
    floor_db = np.percentile(decibels, 10)
    speaks = decibels > max(floor_db + SPEECH_ABOVE_FLOOR_DB, decibels.max() - SPEECH_BELOW_PEAK_DB)
    loud = np.flatnonzero(speaks)
    for before, after in itertools.pairwise(loud):
        if after - before - 1 <= LONGEST_DIP:
            speaks[before:after] = True
    return speaks


def make_conversation(clips, seed, duration_s, event_share=0.5):
    """Conversation out of clips.

    Parameters
    ----------
    clips : mapping of str to mapping of int to list of float32 [n_samples]
        Speaker and emotion to clips at `RATE_HZ`.
    seed : int
        Of everything drawn.
    duration_s : float
        At least so long.
    event_share : float
        How often a run is followed by an event or a long silence.

    Returns
    -------
    samples : float32 [n_samples]
    truth : Truth
    """
    rng = np.random.default_rng(seed)
    parts, emotions, events, runs = [], [], [], []
    n = 0

    def put(samples, truth, event=False):
        nonlocal n
        samples = np.pad(samples, (0, -len(samples) % FRAME)).astype(np.float32)
        n_frames = len(samples) // FRAME
        parts.append(samples)
        emotions.append(np.resize(truth, n_frames) if np.ndim(truth) else np.full(n_frames, truth))
        events.append(np.full(n_frames, event))
        n += n_frames

    def pause(seconds):
        put(np.zeros(round(seconds / FRAME_S) * FRAME), NOBODY)

    pause(rng.uniform(0.5, 2))
    speakers = sorted(clips)
    while n * FRAME_S < duration_s:
        speaker = speakers[rng.integers(len(speakers))]
        turn_ends = n * FRAME_S + rng.uniform(120, 300)
        emotion = NOBODY
        while n * FRAME_S < min(turn_ends, duration_s):
            others = [e for e in sorted(clips[speaker]) if e != emotion]
            emotion = others[rng.integers(len(others))]
            first, last = n, n
            run_ends = n * FRAME_S + rng.uniform(10, 60)
            gain = 10 ** (rng.uniform(-6, 3) / 20)
            while n * FRAME_S < run_ends:
                clip = clips[speaker][emotion][rng.integers(len(clips[speaker][emotion]))]
                speaks = speech_frames(clip)
                truth = np.where(speaks, emotion, NOBODY)
                first = n + int(speaks.argmax()) if first == last else first
                last = n + len(speaks) - int(speaks[::-1].argmax())
                whole = clip[: len(speaks) * FRAME]
                put(gain * whole, truth)
                pause(rng.uniform(0.3, 4))
            runs.append((first * FRAME_S, last * FRAME_S, emotion))
            if rng.random() < event_share / 4:
                name = EVENTS[rng.integers(len(EVENTS))]
                made = sound(name, int(rng.integers(1 << 30)), rng.uniform(5, 20), RATE_HZ)
                put(made * rng.uniform(0.1, 0.6) / SOUNDS[name][1], NOBODY, event=True)
                pause(rng.uniform(0.5, 2))
            elif rng.random() < event_share / 4:
                pause(rng.uniform(10, 40))
    samples = np.concatenate(parts)
    truth = Truth(np.concatenate(emotions), np.concatenate(events), runs)
    spoken = np.repeat(truth.emotions != NOBODY, FRAME)
    level = np.sqrt((samples[spoken].astype(float) ** 2).mean())
    room = sound("room tone", seed, 30, RATE_HZ)
    room = np.resize(room / room.std(), len(samples))
    samples = samples + level * 10 ** (-rng.uniform(20, 38) / 20) * room
    return (samples * min(1, 0.95 / np.abs(samples).max())).astype(np.float32), truth


def score(found, segments, truth):
    """How right a timeline is.

    Parameters
    ----------
    found : int [n_frames]
        Emotion of each frame, `NOBODY` where none is given.
    segments : list of tuple
        ``(start_s, end_s, emotion)``.
    truth : Truth
        What is right.

    Returns
    -------
    dict
        Counts, to be added up over recordings by `shares`.
    """
    n = len(truth.emotions)
    found = np.concatenate([found[:n], np.full(max(n - len(found), 0), NOBODY)])
    spoken, labelled = truth.emotions != NOBODY, found != NOBODY
    near = np.convolve(spoken, np.ones(11), "same") > 0
    matched = {
        i
        for start, end, emotion in segments
        for i, (begin, stop, right) in enumerate(truth.segments)
        if emotion == right
        and min(end, stop) - max(start, begin) >= 0.5 * (max(end, stop) - min(start, begin))
    }
    counts = {
        "spoken": spoken.sum(),
        "right": (spoken & (found == truth.emotions)).sum(),
        "missed": (spoken & ~labelled).sum(),
        "confused": (spoken & labelled & (found != truth.emotions)).sum(),
        "false": (~spoken & labelled).sum(),
        "far": (~near).sum(),
        "far labelled": (~near & labelled).sum(),
        "events": truth.events.sum(),
        "events labelled": (truth.events & labelled).sum(),
        "segments": len(truth.segments),
        "found": len(segments),
        "matched": len(matched),
    }
    for emotion in np.unique(truth.emotions[spoken]).tolist():
        of_it = truth.emotions == emotion
        counts[f"spoken {emotion}"] = of_it.sum()
        counts[f"missed {emotion}"] = (of_it & ~labelled).sum()
    return {key: int(value) for key, value in counts.items()}


def shares(counts):
    """Percentages from the counts of `score`, added up.

    Returns
    -------
    dict
        ``right`` (speech frames), ``f1`` (of segments, IoU 0.5), ``eder`` (emotion diarization
        error rate, arXiv 2306.12991), ``missed``, ``missed worst`` (emotion), ``far`` (labelled
        where no speech is within 0.5 s), ``events`` (labelled).
    """
    total = {}
    for one in counts:
        for key, value in one.items():
            total[key] = total.get(key, 0) + value
    errors = total["missed"] + total["confused"] + total["false"]
    by_emotion = [
        total[f"missed {key.split()[1]}"] / value
        for key, value in total.items()
        if key.startswith("spoken ")
    ]
    return {
        "right": 100 * total["right"] / total["spoken"],
        "f1": 200 * total["matched"] / max(total["segments"] + total["found"], 1),
        "eder": 100 * errors / total["spoken"],
        "missed": 100 * total["missed"] / total["spoken"],
        "missed worst": 100 * max(by_emotion),
        "far": 100 * total["far labelled"] / max(total["far"], 1),
        "events": 100 * total["events labelled"] / max(total["events"], 1),
    }
