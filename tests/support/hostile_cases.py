"""What a case of the hostile-input suite is, and how its folder looks; see test_hostile.py.

A case is a folder that holds something hostile between two good neighbours. It says which row the
command must give for it, if any, and the exit status of a run over this folder.
"""

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

RECORDINGS = Path(__file__).parents[1] / "recordings"
# Before and after what is hostile, in the order of the scan.
NEIGHBOURS = {
    " good.mp3": RECORDINGS / "calls/voicemail.mp3",
    "~good.ogg": RECORDINGS / "podcast/closing.ogg",
}
NO_ROW = "no row"
LIMIT_S = 120.0  # a run takes seconds; what takes longer hangs


@dataclass(frozen=True)
class Case:
    """Something hostile, and what must become of it.

    Attributes
    ----------
    name : str
        Of the case.
    build : function
        Makes it below the folder that it is given, and returns the path of the one that a row is
        expected for, or of something that must have none.
    status : str
        Of that row, or `NO_ROW`.
    reason : str
        Regular expression that its whole reason matches.
    """

    name: str
    build: Callable[[Path], Path]
    status: str
    reason: str = ""

    @property
    def exit_status(self) -> int:
        """Of a run over this case: what the row says."""
        return 1 if self.status in ("unreadable", "failed") else 0


def lay_out(case: Case, folder: Path) -> Path:
    """Make a case and its good neighbours below ``folder``."""
    folder.mkdir()
    for name, source in NEIGHBOURS.items():
        shutil.copyfile(source, folder / name)
    return case.build(folder)


@cache
def voice() -> tuple[np.ndarray, int]:
    """Two seconds of speech, float64 [n_frames], and their rate in Hz."""
    samples, rate_hz = soundfile.read(RECORDINGS / "podcast/opening.wav")
    return samples, rate_hz


def written(
    name: str,
    subtype: str | None = None,
    rate_hz: int = 16000,
    n_channels: int = 1,
    change: Callable[[np.ndarray], np.ndarray] = lambda samples: samples,
) -> Callable[[Path], Path]:
    """Give a builder that writes the voice, changed, in this encoding."""

    def build(folder: Path) -> Path:
        samples, voice_hz = voice()
        n_frames = int(len(samples) * rate_hz / voice_hz)
        times = np.arange(n_frames) * voice_hz / rate_hz
        mono = np.interp(times, np.arange(len(samples)), samples)
        frames = np.stack([mono * 0.8**i for i in range(n_channels)], axis=1)
        container = "RF64" if name.endswith(".rf64") else None
        soundfile.write(folder / name, change(frames), rate_hz, subtype, format=container)
        return folder / name

    return build


def edited(
    build: Callable[[Path], Path], edit: Callable[[bytes], bytes], name: str = ""
) -> Callable[[Path], Path]:
    """Give a builder that changes the bytes of what another wrote, and its name."""

    def build_edited(folder: Path) -> Path:
        path = build(folder)
        content = edit(path.read_bytes())
        path.unlink()
        path = folder / (name or path.name)
        path.write_bytes(content)
        return path

    return build_edited


def holding(name: str, content: bytes) -> Callable[[Path], Path]:
    """Give a builder of a file with this content."""

    def build(folder: Path) -> Path:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        return folder / name

    return build


def cut(share: float) -> Callable[[bytes], bytes]:
    """Give an edit that keeps the first share of the bytes."""
    return lambda content: content[: int(len(content) * share)]


def put(place: int, form: str, *values: int) -> Callable[[bytes], bytes]:
    """Give an edit that puts packed numbers over what stands at a place."""
    packed = struct.pack(form, *values)
    return lambda content: content[:place] + packed + content[place + len(packed) :]


def around(before: bytes, after: bytes = b"") -> Callable[[bytes], bytes]:
    """Give an edit that puts bytes before and after."""
    return lambda content: before + content + after


def named(name: str | bytes) -> Callable[[Path], Path]:
    """Give a builder of a good recording with this name."""

    def build(folder: Path) -> Path:
        path = folder / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(RECORDINGS / "podcast/closing.ogg", path)
        return path

    return build


def command(folder, model, *arguments, **options):
    """Run the command in a folder as people do, and give its process when it has ended."""
    return subprocess.run(
        [sys.executable, "-m", "serctl", "classify", *arguments, "--model", str(model)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LIMIT_S,
        check=False,
        **options,
    )
