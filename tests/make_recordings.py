"""Make tests/recordings: a dozen short recordings to try serctl on, as people have them.

The speech is made by espeak-ng and written by sox, which must be installed; the sentences are the
project's own. Formats, sample rates and channels differ on purpose. In stereo, either two people
talk, one on each side, or one voice stands left of the middle. The same versions of both programs
give the same bytes (made with espeak-ng 1.51 and sox 14.4.2)::

    python tests/make_recordings.py
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "recordings"

# One voice in stereo: louder on the left, as somebody who sits there. Outputs of sox's remix.
LEFT_OF_MIDDLE = ("remix", "1v0.9", "1v0.5")
# A quarter of a second of room before and after the speech.
PAD = ("pad", "0.25", "0.25")


@dataclass(frozen=True)
class Speech:
    """What espeak-ng says: words a minute, and pitch from 0 to 99."""

    text: str
    voice: str = "en-gb"
    speed_wpm: int = 165
    pitch: int = 50


@dataclass(frozen=True)
class Recording:
    """One file: mono or stereo by ``n_channels``, and two voices are a side each."""

    path: str
    rate_hz: int
    n_channels: int
    voices: tuple[Speech, ...]


RECORDINGS = (
    Recording(
        "calls/bakery-order.wav",
        8000,
        2,
        (
            Speech("Good morning. Two loaves, please.", "en-us", 160, 60),
            Speech("They will be ready at ten.", "en-gb-scotland", 165, 40),
        ),
    ),
    Recording(
        "calls/train-times.wav",
        8000,
        1,
        (Speech("The next train to the coast leaves from platform four.", "en-gb", 170, 45),),
    ),
    Recording(
        "calls/voicemail.mp3",
        16000,
        1,
        (Speech("Hello, it is me. Call back when you find a minute.", "en-us", 175, 70),),
    ),
    Recording(
        "calls/wrong-number.wav",
        16000,
        1,
        (Speech("No, this is the library. The museum has another number.", "en-029", 180, 55),),
    ),
    Recording(
        "interview/answer.flac",
        48000,
        1,
        (Speech("I learned it from my aunt, who kept bees all her life.", "en-gb-x-rp", 150, 35),),
    ),
    Recording(
        "interview/question.flac",
        48000,
        1,
        (Speech("How did you come to keep bees?", "en-us", 155, 65),),
    ),
    Recording(
        "interview/room.aiff",
        22050,
        1,
        (Speech("Let us move the table closer to the window.", "en-gb", 140, 30),),
    ),
    Recording(
        "interview/thanks.aiff",
        22050,
        2,
        (
            Speech("Thank you for your time.", "en-us", 150, 65),
            Speech("It was a pleasure.", "en-gb-x-rp", 150, 35),
        ),
    ),
    Recording(
        "podcast/closing.ogg",
        22050,
        1,
        (Speech("That was all for today. Until next week!", "en-us", 190, 80),),
    ),
    Recording(
        "podcast/garden walk.mp3",
        44100,
        2,
        (Speech("Behind the hedge, the first apples are turning red.", "en-gb-scotland", 145, 50),),
    ),
    Recording(
        "podcast/opening.wav",
        44100,
        1,
        (Speech("Welcome to the garden hour.", "en-us", 185, 75),),
    ),
    Recording(
        "podcast/weather.ogg",
        48000,
        2,
        (Speech("It will rain in the morning, and clear up after lunch.", "en-gb", 160, 20),),
    ),
)


def make(recording: Recording, folder: Path) -> Path:
    """Make one recording below ``folder``, and return its path."""
    path = folder / recording.path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        spoken = []
        for number, speech in enumerate(recording.voices):
            spoken.append(f"{scratch}/{number}.wav")
            settings = ["-v", speech.voice, "-s", str(speech.speed_wpm), "-p", str(speech.pitch)]
            _run(["espeak-ng", *settings, "-w", spoken[-1], speech.text])
        if len(spoken) == 2:
            # The second speaker answers on the right when the first one, on the left, has done.
            answer = f"{scratch}/answer.wav"
            _run(["sox", spoken[1], answer, "pad", _length_s(spoken[0])])
            spoken[1] = answer
        effects = [*PAD, "rate", "-v", str(recording.rate_hz)]
        if recording.n_channels > len(spoken):
            effects += LEFT_OF_MIDDLE
        merge = ["-M"] if len(spoken) == 2 else []
        _run(["sox", "-R", *merge, *spoken, "-b", "16", *_encoding(path), str(path), *effects])
    return path


def _length_s(path: str) -> str:
    return _run(["soxi", "-D", path]).strip()


def _encoding(path: Path) -> list[str]:
    # 48 kbit/s is plenty for a voice; sox's default for MP3 is more than twice that.
    return ["-C", "48"] if path.suffix == ".mp3" else []


def _run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> None:
    """Make all recordings anew."""
    missing = [name for name in ("espeak-ng", "sox", "soxi") if shutil.which(name) is None]
    if missing:
        sys.exit(f"{', '.join(missing)}: not installed; espeak-ng and sox are needed.")
    for recording in RECORDINGS:
        path = make(recording, FOLDER)
        print(f"{path}  {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
