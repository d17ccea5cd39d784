"""How many of the calls that turn angry stand first in ``serctl report --rank angry``.

Run from the checkout: python benchmarks/calls.py CORPORA [FOLD] [N_CALLS] [MODEL] [HOP_S]

Of 300 calls 64 turn angry and 48 to another emotion, after 30 to 70% of their time.
"""

import sys
import tempfile
from pathlib import Path

from serctl.bundled import find_model

# Before tests/ is searched, which has a folder of the same name.
from serctl.cli import run
from serctl.models.loading import load_model
from serctl.results.moments import rank_recordings
from serctl.results.segments import read_segments

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.calls import draw_calls, make_call, write_call
from support.timeline_scores import clips_of_fold

SEED = 2020


def main(
    corpora: str, fold: str = "0", n: str = "300", model: str = "cnn", hop_s: str = "1"
) -> None:
    emotions = load_model(str(find_model(model))).config.emotions
    angry, neutral, n_calls = emotions.index("angry"), emotions.index("neutral"), int(n)
    others = [i for i in range(len(emotions)) if i not in (angry, neutral)]
    n_of_emotion = {angry: round(n_calls * 64 / 300)} | {i: round(n_calls * 0.04) for i in others}
    clips = clips_of_fold(corpora, int(fold), emotions)
    calls = draw_calls(SEED, n_calls, n_of_emotion)
    turns_to = {}
    with tempfile.TemporaryDirectory() as folder:
        for i, call in enumerate(calls):
            path = str(Path(folder, f"call-{i:03}.wav"))
            turns_to[path] = call.turns_to
            write_call(path, make_call(clips, call.seed, call.duration_s, call.moods(neutral))[0])
        output = str(Path(folder, "calls.csv"))
        options = ["--channels", "each", "--model", model, "--hop-s", hop_s, "-o", output]
        if run(["classify", folder, *options]):
            sys.exit(1)
        ranked = rank_recordings(*reversed(read_segments(f"{output}.segments.csv")), "angry")
    for name, counted in (("all calls", others), ("without calls that turn elsewhere", [])):
        found = [
            turns_to[one.path] for one in ranked if turns_to[one.path] in (None, angry, *counted)
        ]
        n_angry = n_of_emotion[angry]
        print(f"{name}: {found[:n_angry].count(angry)} of {n_angry} among the first {n_angry}")


if __name__ == "__main__":
    main(*sys.argv[1:])
