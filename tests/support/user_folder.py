"""A user's folder with everything that the commands of the documents name."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import soundfile

from serctl.cli import run

ROOT = Path(__file__).parents[2]
RECORDINGS = ROOT / "tests" / "recordings"

OWN_RECORDINGS = {  # label to recordings, each of another speaker
    "bored": ("podcast/closing.ogg", "podcast/garden walk.mp3", "podcast/weather.ogg"),
    "lively": ("calls/bakery-order.wav", "calls/train-times.wav", "calls/wrong-number.wav"),
}
PIECE_S, EVERY_S, N_PIECES = 1.5, 0.4, 5
CALL, TURN_S = "ann/2026-11-05", 2.5  # of two channels, and long enough for segments


def write_user_folder(folder: Path) -> None:
    """Write recordings, labels, results and a trained model, all of them small."""
    for name in ("recordings", "tests/recordings", "archive"):
        shutil.copytree(RECORDINGS, folder / name)
    names = ["talk.mp3", "angry.wav", "sad.wav"]
    names += [f"labelled/{emotion}/a.wav" for emotion in ("angry", "joy", "boredom")]
    names += ["jl-corpus/male1_angry_1a_1.wav", "jl-corpus/male1_sad_1a_1.wav"]
    names += [f"corpora/RAVDESS/Actor_01/03-01-0{emotion}-01-01-01-01.wav" for emotion in (4, 5)]
    for i, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        # Each another, since a recording counts once.
        source = sorted(RECORDINGS.glob("*/*.mp3" if name.endswith("mp3") else "*/*.wav"))
        shutil.copy(source[i % len(source)], folder / name)
    (folder / "labels.csv").write_text("path,emotion\nangry.wav,angry\nsad.wav,sad\n")
    (folder / "voices.csv").write_text("path,voice\nrecordings/podcast/opening.wav,A\n")
    (folder / "list.txt").write_text("talk.mp3\nangry.wav\n")
    shutil.copytree(ROOT / "weights" / "paper-cnn", folder / "serctl-weights" / "paper-cnn")
    write_own_recordings(folder)
    write_calls(folder)
    where = os.getcwd()
    os.chdir(folder)
    try:
        assert run(["classify", "./recordings"]) == 0
        assert run(["classify", "./calls", "--channels", "each", "-o", "calls.csv"]) == 0
        transcripts = ["--segments-from", "transcripts", "-o", "transcripts.csv"]
        assert run(["classify", "./calls", *transcripts]) == 0
        train = ["train", "--data", "my-recordings", "--start", "cnn", "-o", "my-model"]
        assert run(train) == 0
        assert run(["export", "cnn"]) == 0
        assert run(["report", "-o", "report.json"]) == 0
    finally:
        os.chdir(where)
    for name in ("mon.csv", "tue.csv"):
        shutil.copy(folder / "serctl-results.csv", folder / name)


def write_own_recordings(folder: Path) -> None:
    """Pieces of the recordings in folders of labels, new ones, and a table of labels."""
    rows = ["path,label,speaker"]
    for label, voices in OWN_RECORDINGS.items():
        for speaker, voice in zip(("anna", "ben", "cem"), voices, strict=True):
            samples, rate_hz = soundfile.read(RECORDINGS / voice)
            for i in range(N_PIECES):
                name = f"{label}/{speaker}_{i:02d}.wav"
                start = round(i * EVERY_S * rate_hz)
                piece = samples[start : start + round(PIECE_S * rate_hz)]
                for top in ("my-recordings", "my-new-recordings")[: 2 if i == 0 else 1]:
                    (folder / top / label).mkdir(parents=True, exist_ok=True)
                    soundfile.write(folder / top / name, piece, rate_hz)
                rows.append(f"my-recordings/{name},{label},{speaker}")
    (folder / "my-labels.csv").write_text("\n".join(rows))


def write_calls(folder: Path) -> None:
    """Some calls, a long one with two channels, and what pyannote and WhisperX found in it."""
    shutil.copytree(RECORDINGS / "interview", folder / "calls")
    shutil.copy(RECORDINGS / "podcast" / "opening.wav", folder / "calls")
    parties = []
    for voice in ("answer", "question"):
        samples, rate_hz = soundfile.read(RECORDINGS / "interview" / f"{voice}.flac")
        parties.append(samples[: round(TURN_S * rate_hz)])
    quiet = np.zeros_like(parties[0])
    turns = [np.stack([parties[0], quiet]), np.stack([quiet, parties[1]])]
    path = folder / "calls" / f"{CALL}.wav"
    path.parent.mkdir()
    soundfile.write(path, np.concatenate(turns * 3, axis=1).T, rate_hz)
    name = path.stem
    shutil.copy(path, folder / "call.wav")
    (folder / "speakers.rttm").write_text(
        f"SPEAKER {name} 1 0.000 {TURN_S} <NA> <NA> A <NA> <NA>\n"
        f"SPEAKER {name} 1 {TURN_S} {TURN_S} <NA> <NA> B <NA> <NA>\n"
    )
    (folder / "transcripts").mkdir()
    segments = [
        {"start": 0, "end": TURN_S, "speaker": "SPEAKER_00", "text": "Hello."},
        {"start": TURN_S, "end": 2 * TURN_S, "speaker": "SPEAKER_01", "text": "Good morning."},
    ]
    (folder / "transcripts" / f"{name}.json").write_text(json.dumps({"segments": segments}))
