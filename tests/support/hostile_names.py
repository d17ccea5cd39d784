"""Cases of the hostile-input suite: what the files are called, and what is no file."""

import os
import socket
from pathlib import Path

from support.hostile_cases import NO_ROW, Case, holding, named

MISSING = r"No such file or directory\. Check that it can be read\."


def link(name: str, target: str, content: str = ""):
    """Give a builder of a link, and of a recording beside it if asked for."""

    def build(folder: Path) -> Path:
        if content:
            named(content)(folder)
        (folder / name).symlink_to(target)
        return folder / name

    return build


def pipe(folder: Path) -> Path:
    """Nobody writes to it: who opens it waits for ever."""
    os.mkfifo(folder / "h.wav")
    return folder / "h.wav"


def listening(folder: Path) -> Path:
    """A socket, whose path may be no longer than 107 bytes."""
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(folder)
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind("h.wav")
    finally:
        os.fchdir(here)
        os.close(here)
    return folder / "h.wav"


def empty_folder(folder: Path) -> Path:
    """A folder with the name of a recording."""
    (folder / "h.wav").mkdir()
    return folder / "h.wav"


def link_round(folder: Path) -> Path:
    """A link from a folder to the one above."""
    (folder / "h").mkdir()
    (folder / "h/up").symlink_to("..")
    return folder / "h/up/~good.ogg"


def deep(folder: Path) -> Path:
    """A path of more bytes than libsndfile takes."""
    return named("/".join(["d" * 200] * 8) + "/h.ogg")(folder)


NAMES = [
    Case(f"name {what}", named(name), "ok")
    for what, name in [
        ("in capitals", "H.OGG"),
        ("that is not UTF-8", b"caf\xe9 \xff.ogg"),
        ("with a line feed", "h\nh.ogg"),
        ("with a carriage return", "h\rh.ogg"),
        ("with an emoji", "\U0001f600.ogg"),
        ("of 255 bytes", "h" * 251 + ".ogg"),
        ("that begins with a dash", "-o.ogg"),
        ("with quotes and commas", "\"a\",'b',;.ogg"),
        ("with markup", "[bold red]h[/] :smile: <b>.ogg"),
        ("with escape sequences", "\x1b[31mh\x1b]0;x\x07.ogg"),
        ("with blanks at its ends", "\t h .ogg"),
        ("that a spreadsheet would run", "=1+1.ogg"),
        ("with glob characters", "[h]*?.ogg"),
        ("that turns the line round", "\u202egpj.ogg"),
        ("in decomposed letters", "cafe\u0301.ogg"),
        ("with a backslash", "a\\b.ogg"),
    ]
]
FOLDERS = [
    Case("a folder named after an emotion", named("angry/sad.ogg"), "ok"),
    Case("a folder named as the wild do", named(b"\xff\n[x]/h.ogg"), "ok"),
    Case("a path of 1600 bytes", deep, "ok"),
    Case("a folder named .wav", empty_folder, NO_ROW),
    Case("a hidden file", named(".h.ogg"), NO_ROW),
    Case("a hidden folder", named(".h/h.ogg"), NO_ROW),
    Case("macOS's ._ file", named("._h.ogg"), NO_ROW),
    Case("another kind of file", holding("h.txt", b"notes"), NO_ROW),
]
LINKS = [
    Case("a link to a file", link("h.ogg", " good.mp3"), "ok"),
    Case("a link to a folder", link("h.link", ".", ""), NO_ROW),
    Case("a link to the folder above", link_round, NO_ROW),
    Case("a folder's link to itself", link("h", "h"), NO_ROW),
    Case("a link that leads nowhere", link("h.wav", "gone.wav"), "unreadable", MISSING),
    Case(
        "a link to itself", link("h.wav", "h.wav"), "unreadable", r"Too many levels of symbolic.*"
    ),
]
NO_FILES = [
    Case("a named pipe", pipe, NO_ROW),
    Case("a socket", listening, NO_ROW),
    Case("a link to an endless device", link("h.wav", "/dev/zero"), NO_ROW),
]
NAME_CASES = [*NAMES, *FOLDERS, *LINKS, *NO_FILES]
