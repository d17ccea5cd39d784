"""Cases of the hostile-input suite: what is typed, and what may not be read.

Functions are called in a folder with good recordings in ``r``; they make what else there is, and
return the arguments.
"""

import os
from pathlib import Path


def all_at_once(here):
    """Whatever may be named, and becomes a row; a run for each would take a minute."""
    os.mkfifo("pipe.wav")
    Path("notes.txt").write_text("No sound.")
    Path("list").write_bytes(b"r/ good.mp3\0gone\n.wav\0r/../r/~good.ogg\0")
    return [
        "r",
        "./r",
        "r/../r",
        "pipe.wav",
        "/dev/zero",
        "notes.txt",
        "--files-from",
        "list",
        "-0",
    ]


NAMED = {  # reasons for which these are unreadable
    "pipe.wav": r"A named pipe; a file is needed\..*",
    "/dev/zero": r"A device; a file is needed\..*",
    "notes.txt": r"Format not recognised\..*",
    "gone\n.wav": r"No such file or directory\..*",
}


def list_with_zeros(here):
    (here / "list").write_bytes(b"r/ good.mp3\0")
    return ["--files-from", "list"]


def empty(here):
    (here / "empty").mkdir()
    return ["empty"]


def only_notes(here):
    (here / "notes").mkdir()
    (here / "notes/notes.txt").write_text("No sound.")
    return ["notes"]


# What is typed; exit status; what is said.
REFUSED = {
    "a list with zero bytes": (list_with_zeros, 2, r"line 1 holds a zero byte.* Give -0"),
    "a list that is not there": (lambda here: ["--files-from", "gone"], 2, "'gone': No such file"),
    "a path that is not there": (lambda here: ["r", "gone"], 2, r"^Error: gone: does not exist"),
    "a glob of nothing": (lambda here: ["r/*.xyz"], 2, r"r/\*\.xyz: does not exist, and matches"),
    "nothing": (lambda here: [], 2, "no PATHS: give recordings or folders"),
    "an empty folder": (empty, 3, r"^Error: empty: no recordings found: no files\."),
    "a folder of notes": (only_notes, 3, r"no recordings found: 1 not audio \(\.txt 1\)"),
    "patterns that leave nothing": (
        lambda here: ["r", "--exclude", "*"],
        3,
        "2 left out by --include or --exclude",
    ),
}

RIGHTS = [  # as test_hostile_arguments.py has it
    ("a file", "unreadable", 1),
    ("a folder", "no row, a warning", 1),
    ("what is in a folder", "unreadable", 1),
    ("any of the folders", "refused", 3),
    ("on the way to a file that is named", "refused", 2),
    ("the weights", "refused", 3),
]
