"""Results files of recordings that never were: any number of rows, long calls, hostile names."""

import random

from serctl.results.schema import Result
from serctl.results.segments import SEGMENTS, Segment, SegmentsWriter
from serctl.results.writer import ResultsWriter, write_run

SIX = ("angry", "disgust", "fear", "happy", "sad", "neutral")
WEIGHTS = (0.10, 0.06, 0.07, 0.14, 0.2, 0.43)
REASONS = {
    "silent": "no sample reaches 1/32768 of full scale. Is the microphone connected?",
    "no_speech": "no speech was found.",
    "too_short": "0.{n} s; at least 0.25 s are needed.",
    "unreadable": "0 bytes. The file is empty; copy or export it again.",
    "failed": "decoding made no progress for 120 s.",
}
HOSTILE = (
    "<script>alert(1)</script>.wav",
    "<img src=x onerror=alert(1)>.wav",
    "</script><script>alert(1)</script>.wav",
    "<!--<script>.wav",
    "javascript:alert(1)//.wav",
    "\"'`${alert(1)}{{DATA}}{{SCRIPT}}.wav",
    "\u202egpj.exe\u202c.wav",
    "a\u2028b\u2029c\x00\x1b[31m.wav",
    "=HYPERLINK(1),x.wav",
    "caf\udce9 \udcff.wav",
    "&lt;b&gt; &amp;.wav",
    "line\nfeed\r.wav",
    "https://example.org/a.wav",
    "__proto__/constructor.wav",
)


def draw_probabilities(rng, emotion):
    """Probabilities of `SIX` with the most for one, with six decimals."""
    found = sorted((rng.gammavariate(0.35, 1) + 1e-4 for _ in SIX), reverse=True)
    found[0] += 0.3 * sum(found)
    shares = [round(x / sum(found), 6) for x in found]
    first, rest = shares[0], shares[1:]
    rng.shuffle(rest)
    place = SIX.index(emotion)
    return (*rest[:place], first, *rest[place:])


def draw_result(rng, path, calls=False):
    """Result of one recording."""
    if rng.random() < 0.05:
        status = rng.choice(list(REASONS))
        reason = REASONS[status].format(n=rng.randrange(10, 25))
        duration_s = None if status in ("unreadable", "failed") else round(rng.uniform(0.1, 9), 3)
        return Result(path, status, reason, duration_s=duration_s)
    weights = list(WEIGHTS)
    if "agent07" in path:
        weights[0] = 0.5
    emotion = rng.choices(SIX, weights)[0]
    shares = draw_probabilities(rng, emotion)
    duration_s = round(rng.uniform(180, 420) if calls else rng.lognormvariate(1.2, 0.5), 3)
    speech_s = round(duration_s * rng.uniform(0.5, 0.95), 3)
    windows = int(duration_s) if calls else 1
    confidence = max(shares)
    return Result(
        path, "ok", "", emotion, confidence, shares, duration_s, 16000, 1, windows, speech_s
    )


def draw_segments(rng, result):
    """Segments of a long recording, one after another."""
    found, now = [], rng.uniform(0, 4)
    while now < result.duration_s - 10:
        end = min(now + rng.uniform(8, 60), result.duration_s)
        emotion = rng.choices(SIX, WEIGHTS)[0]
        shares = draw_probabilities(rng, emotion)
        times = (round(now, 1), round(end, 1))
        speech_s = round((end - now) * 0.8, 3)
        speaker = rng.choice(("Anna", "Ben"))
        found.append(
            Segment(result.path, None, speaker, *times, speech_s, emotion, max(shares), shares)
        )
        now = end + rng.uniform(0, 6)
    return found


def write_results(output, n_rows, seed=0, calls=False, hostile=False, run=None):
    """Write results of n recordings; with segments if they are calls. Give the path as text."""
    rng = random.Random(seed)
    paths = []
    if hostile:
        paths = [f"r/{name}" for name in HOSTILE] + [f"{name}/a.wav" for name in HOSTILE[:3]]
    for i in range(n_rows - len(paths)):
        agent = rng.randrange(1, 21)
        day = f"2026-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"
        time = f"{rng.randrange(7, 21):02}{rng.randrange(60):02}{rng.randrange(60):02}"
        paths.append(f"calls/agent{agent:02}/{day}_{time}_{i % 100:02}.wav")
    results = [draw_result(rng, path, calls) for path in sorted(paths)]
    with ResultsWriter(str(output), SIX, overwrite=True) as writer:
        for result in results:
            writer.write(result)
    if calls:
        with SegmentsWriter(f"{output}{SEGMENTS}", SIX, overwrite=True) as writer:
            for result in results:
                for segment in draw_segments(rng, result) if result.status == "ok" else ():
                    writer.write(segment)
    if run:
        write_run(str(output), run)
    return str(output)
