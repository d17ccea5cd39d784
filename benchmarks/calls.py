"""How many of the calls that turn angry stand first in ``serctl report --rank angry``.

Run from the checkout: python benchmarks/calls.py CORPORA [FOLD] [N_CALLS] [MODEL] [HOP_S] [FOLDER]

Of 300 calls 64 turn angry and 48 to another emotion, after 30 to 70% of their time. Results go to
FOLDER, 20 calls at a time; run again with the same FOLDER, it goes on where it was interrupted. Calls
are ranked after every slice.
"""

import shutil
import sys
import tempfile
from pathlib import Path

# Before tests/ is searched, which has a folder of the same name.
from serctl.cli import run
from serctl.models.loading import load_model
from serctl.results.moments import Ranked, rank_recordings
from serctl.results.segments import read_segments
from serctl.weights import find_model

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.calls import CUSTOMER, Call, draw_calls, make_call, write_call
from support.timeline_scores import clips_of_fold

SEED = 2020
SLICE = 20


def main(
    corpora: str,
    fold: str = "0",
    n: str = "300",
    model: str = "cnn",
    hop_s: str = "1",
    folder: str = "",
) -> None:
    emotions = load_model(str(find_model(model))).config.emotions
    angry, neutral, n_calls = emotions.index("angry"), emotions.index("neutral"), int(n)
    others = [i for i in range(len(emotions)) if i not in (angry, neutral)]
    n_of_emotion = {angry: round(n_calls * 64 / 300)} | {i: round(n_calls * 0.04) for i in others}
    calls = draw_calls(SEED, n_calls, n_of_emotion)
    results = Path(folder or tempfile.mkdtemp())
    results.mkdir(parents=True, exist_ok=True)
    clips = None
    ranked: list[tuple[Ranked, Call]] = []
    for first in range(0, n_calls, SLICE):
        some = dict(enumerate(calls[first : first + SLICE], start=first))
        output = results / f"calls-{first:03}.csv"
        if not output.exists():
            clips = clips or clips_of_fold(corpora, int(fold), emotions)
            recordings = results / f"recordings-{first:03}"
            recordings.mkdir(exist_ok=True)
            for i, call in some.items():
                moods = call.moods(neutral)
                samples, _ = make_call(clips, call.seed, call.duration_s, moods)
                write_call(str(recordings / f"call-{i:03}.wav"), samples)
            options = ["--channels", "each", "--model", model, "--hop-s", hop_s, "--resume"]
            if run(["classify", str(recordings), *options, "-o", str(output)]):
                sys.exit(1)
            shutil.rmtree(recordings)
        found = rank_recordings(*reversed(read_segments(f"{output}.segments.csv")), "angry")
        ranked += [(one, some[int(Path(one.path).stem.removeprefix("call-"))]) for one in found]
        show(ranked, angry, others)
    if not folder:
        shutil.rmtree(results)


def show(ranked: list[tuple[Ranked, Call]], angry: int, others: list[int]) -> None:
    """Print how many angry calls are among the first, with and without those that turn elsewhere."""
    ranked = sorted(ranked, key=lambda one: -one[0].peak_probability)
    for name, counted in (("", others), (" without calls that turn elsewhere", [])):
        kept = [(one, call) for one, call in ranked if call.turns_to in (None, angry, *counted)]
        n_angry = sum(call.turns_to == angry for _, call in kept)
        right = [(one, call) for one, call in kept[:n_angry] if call.turns_to == angry]
        by_customer = sum(one.channel == CUSTOMER + 1 for one, _ in right)
        in_time = sum(
            one.first_s is not None and abs(one.first_s - call.from_share * call.duration_s) <= 30
            for one, call in right
        )
        print(
            f"{len(kept)} calls{name}: {len(right)} of {n_angry} among the first {n_angry}, "
            f"{by_customer} with the customer's channel, {in_time} within 30 s of the turn"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
