"""Telephone calls whose emotions are known, made of labelled clips: two parties, one a channel.

The parties take turns of 4 to 20 s; one turn in six begins before the other ends. Each channel has
its own level and noise, and some of the other's sound. Truth is as in `support.conversations`.
"""

from dataclasses import dataclass

import numpy as np
import soundfile
from scipy.signal import butter, resample_poly, sosfilt
from support.conversations import FRAME, FRAME_S, NOBODY, RATE_HZ, Truth, speech_frames

CALL_RATE_HZ = 8000
CROSSTALK_DB, NOISE_DB = -25, -30
AGENT, CUSTOMER = 0, 1


@dataclass(frozen=True)
class Call:
    """What is drawn for a call of a set.

    Attributes
    ----------
    seed : int
        Of everything else in it.
    duration_s : float
        At least so long.
    turns_to : int or None
        Emotion that the customer turns to from neutral; None if nobody does.
    from_share : float
        When, as a share of the call.
    """

    seed: int
    duration_s: float
    turns_to: int | None
    from_share: float

    def moods(self, neutral):
        """Emotion of a party at a time, as `make_call` takes it."""

        def mood(party, time_s):
            is_late = time_s > self.from_share * self.duration_s
            return self.turns_to if party == CUSTOMER and is_late else neutral

        return (lambda party, time_s: neutral) if self.turns_to is None else mood


def draw_calls(seed, n_calls, n_of_emotion, shortest_s=120, longest_s=600):
    """Draw calls of 2 to 10 minutes, in some of which the customer's emotion changes.

    Parameters
    ----------
    seed : int
        Of everything drawn.
    n_calls : int
        How many.
    n_of_emotion : mapping of int to int
        In how many of them the customer turns to each emotion; the others stay neutral.
    shortest_s, longest_s : float
        Of the calls.

    Returns
    -------
    list of Call
    """
    rng = np.random.default_rng(seed)
    turns = [emotion for emotion, n in sorted(n_of_emotion.items()) for _ in range(n)]
    turns += [None] * (n_calls - len(turns))
    rng.shuffle(turns)
    return [
        Call(
            int(rng.integers(1 << 30)),
            rng.uniform(shortest_s, longest_s),
            turns_to,
            rng.uniform(0.3, 0.7),
        )
        for turns_to in turns
    ]


def changing_moods(seed, emotions, duration_s):
    """Runs of 10 to 60 s of one emotion for each party by itself, as `make_call` takes them."""
    rng = np.random.default_rng(seed)
    runs = []
    for _ in (AGENT, CUSTOMER):
        begins, drawn = [0.0], [emotions[rng.integers(len(emotions))]]
        while begins[-1] < 2 * duration_s:
            begins.append(begins[-1] + rng.uniform(10, 60))
            others = [emotion for emotion in emotions if emotion != drawn[-1]]
            drawn.append(others[rng.integers(len(others))])
        runs.append((begins, drawn))

    def mood(party, time_s):
        begins, drawn = runs[party]
        return drawn[np.searchsorted(begins, time_s, "right") - 1]

    return mood


def make_call(clips, seed, duration_s, moods):
    """Telephone call of two parties.

    Parameters
    ----------
    clips : mapping of str to mapping of int to list of float32 [n_samples]
        Of `support.timeline_scores.clips_of_fold`; two speakers are drawn.
    seed : int
        Of everything drawn.
    duration_s : float
        At least so long.
    moods : callable
        Gives the emotion of a party, 0 or 1, at a time in seconds.

    Returns
    -------
    samples : float32 [n_samples, 2]
        At `CALL_RATE_HZ`, in the telephone band.
    truths : list of Truth
        One a channel.
    """
    rng = np.random.default_rng(seed)
    names = sorted(clips)
    speakers = rng.choice(len(names), 2, replace=False)
    said = []  # party, first frame, samples, emotion
    party, n = int(rng.integers(2)), round(rng.uniform(5, 20))
    while n * FRAME_S < duration_s:
        turn_ends = n + round(rng.uniform(4, 20) / FRAME_S)
        while n < turn_ends:
            emotion = moods(party, n * FRAME_S)
            of_it = clips[names[speakers[party]]][emotion]
            clip = of_it[rng.integers(len(of_it))]
            clip = clip[: len(clip) // FRAME * FRAME]
            said.append((party, n, clip, emotion))
            n += len(clip) // FRAME
            clip_ends = n
            n += round(rng.uniform(0.2, 1.0) / FRAME_S)
        n = clip_ends + round((rng.uniform(-1.5, -0.2) if rng.random() < 1 / 6 else 0.3) / FRAME_S)
        party = 1 - party
    n_frames = max(first + len(clip) // FRAME for _, first, clip, _ in said)
    sides = np.zeros((2, n_frames * FRAME), np.float32)
    truths = [Truth(np.full(n_frames, NOBODY), np.zeros(n_frames, bool)) for _ in sides]
    gains = 10 ** (rng.uniform(-6, 3, 2) / 20)
    for party, first, clip, emotion in said:
        sides[party, first * FRAME : first * FRAME + len(clip)] += gains[party] * clip
        speaks = np.flatnonzero(speech_frames(clip)) + first
        truths[party].emotions[speaks] = emotion
    return _telephone(sides, rng), truths


def _telephone(sides, rng):
    """Sides float32 [2, n] at `RATE_HZ` as a telephone gives them, float32 [n / 2, 2]."""
    sides = sides + 10 ** (CROSSTALK_DB / 20) * sides[::-1]
    level = np.sqrt((sides**2).mean())
    sides += level * 10 ** (NOISE_DB / 20) * rng.standard_normal(sides.shape, np.float32)
    sides *= 0.9 / np.abs(sides).max()
    band = butter(4, (300, 3400), "band", fs=RATE_HZ, output="sos")
    narrow = resample_poly(sosfilt(band, sides, axis=1), 1, RATE_HZ // CALL_RATE_HZ, axis=1)
    return narrow.T.astype(np.float32)


def write_call(path, samples):
    """Write a call as telephone systems record it: a WAV file in mu-law."""
    soundfile.write(path, samples.clip(-1, 1), CALL_RATE_HZ, subtype="ULAW")
