import ntpath
import os
import re
import socket
import sys
import types
from pathlib import Path

import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from serctl.audio import patterns
from serctl.audio import scan as scan_module
from serctl.audio.finding.skipped import Skipped
from serctl.audio.formats.names import AUDIO_EXTENSIONS, OTHER_EXTENSIONS, SNDFILE_EXTENSIONS
from serctl.audio.patterns import Selection, read_list
from serctl.audio.scan import scan
from serctl.errors import NothingFoundError, PathError, RunError, UsageError

# Names that differ in case, sort apart from their folders ("b.wav" < "b/"), or are not UTF-8.
PARTS = st.sampled_from(["a", "B", "b", "b ", "é", "10", "9", "[x]", os.fsdecode(b"\xff")])
RELATIVE = st.lists(PARTS, min_size=1, max_size=4).map(lambda parts: "/".join(parts) + ".wav")


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_directories_are_walked_with_names_sorted(here):
    make(here, "r/b.wav", "r/a/z.flac", "r/a/B.mp3", "r/c/d/e.ogg", "r/A.wav")
    assert scan(["r"]) == ["r/A.wav", "r/a/B.mp3", "r/a/z.flac", "r/b.wav", "r/c/d/e.ogg"]


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("./r", "./r/a.wav"),
        ("r/", "r/a.wav"),
        (".", "./r/a.wav"),
        ("../here/r", "../here/r/a.wav"),
        (Path("r"), "r/a.wav"),
    ],
)
def test_paths_are_the_argument_as_typed_and_what_is_below(
    tmp_path, monkeypatch, argument, expected
):
    make(tmp_path, "here/r/a.wav")
    monkeypatch.chdir(tmp_path / "here")
    assert scan([argument]) == [expected]


def test_arguments_come_in_the_order_given_and_no_path_twice(here):
    make(here, "a/1.wav", "b/1.wav", "b/2.wav")
    assert scan(["b/2.wav", "b", "./b", str(here / "b"), "a", "b/../a/1.wav"]) == [
        "b/2.wav",
        "b/1.wav",
        "a/1.wav",
    ]


@settings(deadline=None)
@given(names=st.sets(RELATIVE, min_size=1, max_size=8), data=st.data())
def test_order_does_not_depend_on_the_file_system(tmp_path_factory, names, data):
    folder = tmp_path_factory.mktemp("tree")
    make(folder, *data.draw(st.permutations(sorted(names))))
    expected = [f"{folder}/{name}" for name in sorted(names, key=lambda name: name.split("/"))]
    assert scan([folder]) == expected
    assert scan([folder, folder]) == expected


def test_hidden_and_other_files_are_passed_over(here):
    make(here, "r/a.wav", "r/.b.wav", "r/._a.wav", "r/.git/c.wav", "r/notes.txt", "r/wav", "r/.wav")
    assert scan(["r"]) == ["r/a.wav"]


def test_a_hidden_folder_that_is_named_is_walked(here):
    make(here, ".r/a.wav")
    assert scan([".r"]) == [".r/a.wav"]


def test_a_file_that_is_named_is_always_taken(here):
    make(here, "speech.dat", ".hidden.txt")
    assert scan(["speech.dat", ".hidden.txt"]) == ["speech.dat", ".hidden.txt"]


@pytest.mark.parametrize("extension", sorted(AUDIO_EXTENSIONS))
def test_extensions_count_in_any_case(here, extension):
    make(here, f"r/a{extension}", f"r/b{extension.upper()}")
    assert scan(["r"]) == [f"r/a{extension}", f"r/b{extension.upper()}"]


def test_extension_tables():
    assert not SNDFILE_EXTENSIONS & OTHER_EXTENSIONS
    for extension in AUDIO_EXTENSIONS:
        assert extension.startswith(".")
        assert extension == extension.lower()
    known = {"." + name.lower() for name in soundfile.available_formats()}
    known -= {".mat4", ".mat5", ".raw", ".mpc2k", ".htk", ".sds", ".sd2", ".pvf", ".xi", ".wve"}
    # libsndfile's names of formats that have other extensions, or the same as another.
    known -= {".wavex", ".ircam"}
    assert known <= SNDFILE_EXTENSIONS
    assert not known & OTHER_EXTENSIONS


def test_links_to_files_are_followed_and_links_to_folders_are_not(here):
    make(here, "elsewhere/a.wav", "r/b.wav")
    (here / "r/link.wav").symlink_to(here / "elsewhere/a.wav")
    (here / "r/folder").symlink_to(here / "elsewhere")
    (here / "r/round").symlink_to(here / "r")
    assert scan(["r"]) == ["r/b.wav", "r/link.wav"]
    assert scan(["r/folder"]) == ["r/folder/a.wav"]


def test_a_link_that_leads_nowhere_is_left_to_the_decoder(here):
    make(here, "r/a.wav")
    (here / "r/gone.wav").symlink_to(here / "missing.wav")
    (here / "r/gone.txt").symlink_to(here / "missing.txt")
    assert scan(["r"]) == ["r/a.wav", "r/gone.wav"]
    with pytest.raises(PathError, match=r"^r/gone\.wav: is a link that leads nowhere"):
        scan(["r/gone.wav"])


def test_what_is_neither_file_nor_folder_is_passed_over(here):
    make(here, "r/a.wav")
    os.mkfifo(here / "r/pipe.wav")
    (here / "r/folder.wav").mkdir()
    assert scan(["r"]) == ["r/a.wav"]


def test_sockets_and_devices_are_passed_over(here):
    make(here, "r/a.wav")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("r/socket.wav")
        (here / "r/device.wav").symlink_to("/dev/zero")
        assert scan(["r"]) == ["r/a.wav"]


def test_links_that_lead_to_themselves_are_left_to_the_decoder(here):
    make(here, "r/a.wav")
    (here / "r/self.wav").symlink_to("self.wav")
    (here / "r/self").symlink_to("self")
    assert scan(["r"]) == ["r/a.wav", "r/self.wav"]


FOLLOWING = Selection(follow_links=True)


def test_links_to_folders_are_followed_if_asked_for_and_loops_end(here):
    make(here, "elsewhere/a.wav", "r/b.wav", "r/d/c.wav")
    (here / "r/folder").symlink_to(here / "elsewhere")
    (here / "r/again").symlink_to("folder")
    (here / "r/round").symlink_to(here / "r")
    (here / "r/d/up").symlink_to("..")
    (here / "elsewhere/back").symlink_to(here / "r")
    assert scan(["r"], FOLLOWING) == ["r/again/a.wav", "r/b.wav", "r/d/c.wav"]
    assert scan(["r", "elsewhere"], FOLLOWING) == ["r/again/a.wav", "r/b.wav", "r/d/c.wav"]
    assert scan(["elsewhere", "r/b.wav"], FOLLOWING) == [
        "elsewhere/a.wav",
        "elsewhere/back/b.wav",
        "elsewhere/back/d/c.wav",
    ]


def test_links_that_branch_do_not_multiply(here):
    # Each of 30 folders is reached by two links from the one before: a billion ways.
    for i in range(30):
        (here / f"r/{i}").mkdir(parents=True)
        for name in "ab":
            (here / f"r/{i}/{name}").symlink_to(f"../{i + 1}")
    make(here, "r/30/a.wav")
    assert len(scan(["r"], FOLLOWING)) == 1


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        ([], [], ["r/A.wav", "r/b/c/x.mp3", "r/b/x.wav", "r/old/b/x.wav"]),
        (["*.wav"], [], ["r/A.wav", "r/b/x.wav", "r/old/b/x.wav"]),
        (["*.mp3", "a.wav"], [], ["r/b/c/x.mp3"]),
        (["b/*"], [], ["r/b/c/x.mp3", "r/b/x.wav"]),
        (["*/b/*"], [], ["r/old/b/x.wav"]),
        ([], ["b"], ["r/A.wav"]),
        ([], ["old/b"], ["r/A.wav", "r/b/c/x.mp3", "r/b/x.wav"]),
        ([], ["x.*"], ["r/A.wav"]),
        (["x.*"], ["c"], ["r/b/x.wav", "r/old/b/x.wav"]),
        (["[A-Z]*"], [], ["r/A.wav"]),
        ([], ["b/"], ["r/A.wav"]),
        ([], ["old/b/"], ["r/A.wav", "r/b/c/x.mp3", "r/b/x.wav"]),
        (["b/"], [], ["r/b/c/x.mp3", "r/b/x.wav", "r/old/b/x.wav"]),
        (["old/b/"], [], ["r/old/b/x.wav"]),
        (["*.wav"], ["A.wav/"], ["r/A.wav", "r/b/x.wav", "r/old/b/x.wav"]),
        (["*.wav", "c/"], ["old/"], ["r/A.wav", "r/b/c/x.mp3", "r/b/x.wav"]),
    ],
)
def test_patterns_choose_by_name_or_by_the_path_below(here, include, exclude, expected):
    make(here, "r/A.wav", "r/b/x.wav", "r/b/c/x.mp3", "r/old/b/x.wav")
    assert scan(["r"], Selection(include, exclude)) == expected


def test_patterns_hold_for_named_files_by_their_names(here):
    make(here, "b/a.wav", "b/c.mp3")
    assert scan(["b/a.wav", "b/c.mp3"], Selection(exclude=["*.mp3", "b"])) == ["b/a.wav"]
    with pytest.raises(NothingFoundError, match="; 1 left out by --include or --exclude"):
        scan(["b/a.wav"], Selection(include=["*.mp3"]))


def test_what_is_listed_is_no_glob_and_need_not_exist(here):
    make(here, "[a].wav", "a.wav", "d/x.wav", "text.txt")
    listed = ["[a].wav", "./a.wav", "gone.wav", "*.wav", "d", "text.txt"]
    expected = ["a.wav", "[a].wav", "gone.wav", "*.wav", "d/x.wav", "text.txt"]
    assert scan(["a.wav"], listed=listed) == expected


def test_a_list_is_lines_or_ends_its_paths_with_zero_bytes():
    assert read_list(b"a.wav\n\nb c.wav\r\n d") == ["a.wav", "b c.wav", " d"]
    assert read_list(b"\xef\xbb\xbfa\n") == ["a"]
    assert read_list("a é.wav\r\nb\r\n".encode("utf-16")) == ["a é.wav", "b"]  # of Windows
    assert read_list(b"\xffa\xc3\xa9\n") == [os.fsdecode(b"\xffa\xc3\xa9")]
    assert read_list(b"a\nb\r\n\0c", b"\0") == ["a\nb\r\n", "c"]
    assert read_list(b"") == []
    with pytest.raises(UsageError, match=r"line 2 holds a zero byte, which no path can\. Give -0"):
        read_list(b"a\nb\0c\n")


@given(names=st.lists(st.binary(min_size=1).map(lambda name: name.replace(b"\0", b"?"))))
def test_any_names_are_read_from_a_list_that_ends_them_with_zero_bytes(names):
    content = b"".join(name + b"\0" for name in names)
    assert [os.fsencode(name) for name in read_list(content, b"\0")] == names


def test_globs_are_expanded_as_a_shell_would(here):
    make(here, "r/2.wav", "r/10.wav", "r/n.txt", "r/d/3.wav", "r/.h.wav")
    assert scan(["r/*.wav"]) == ["r/10.wav", "r/2.wav"]
    assert scan(["r/*"]) == ["r/10.wav", "r/2.wav", "r/d/3.wav", "r/n.txt"]
    assert scan(["r/**/*.wav"]) == ["r/10.wav", "r/2.wav", "r/d/3.wav"]


def test_a_path_that_exists_is_no_glob(here):
    make(here, "take [1].wav", "take 1.wav")
    assert scan(["take [1].wav"]) == ["take [1].wav"]


def test_folders_nested_deeper_than_python_recurses(here):
    depth = sys.getrecursionlimit() + 100
    for _ in range(depth):
        os.mkdir("d")
        os.chdir("d")
    Path("a.wav").touch()
    os.chdir(here)
    try:
        assert scan(["."]) == ["./" + "d/" * depth + "a.wav"]
    finally:
        # pytest clears its folders by recursion.
        os.unlink("d/" * depth + "a.wav")
        for level in range(depth, 0, -1):
            os.rmdir("d/" * level)


@pytest.mark.parametrize("argument", ["missing", "missing/*.wav", "r/missing.wav", ""])
def test_a_missing_path_is_named(here, argument):
    make(here, "r/a.wav")
    with pytest.raises(PathError) as caught:
        scan(["r", argument])
    assert str(caught.value).startswith(f"{argument or repr('')}: does not exist")
    assert str(here) in str(caught.value)


def test_nothing_found_says_what_was_there(here):
    make(here, "r/a.txt", "r/b/c.txt", "r/d.CSV", "r/e", "r/.hidden.wav")
    (here / "r/link").symlink_to(here)
    with pytest.raises(NothingFoundError) as caught:
        scan(["r"])
    message = str(caught.value)
    skipped = "1 hidden, 4 not audio (.txt 2, no extension 1, .csv 1), 1 link to a folder"
    assert message.startswith(f"r: no recordings found: {skipped}. Looked, at any depth")
    assert ".wav, .flac" in message


def test_an_empty_folder_says_so(here):
    (here / "r").mkdir()
    with pytest.raises(NothingFoundError, match=r"^r: no recordings found: no files\. Looked"):
        scan(["r"])


def test_a_folder_that_cannot_be_listed_stops_the_scan_or_is_told(here, monkeypatch):
    make(here, "r/a.wav", "r/closed/b.wav")
    listed = os.scandir

    def refuse(folder):
        if str(folder).endswith("closed"):
            raise PermissionError(13, "Permission denied", folder)
        return listed(folder)

    monkeypatch.setattr(scan_module.os, "scandir", refuse)
    message = r"^r/closed: this folder cannot be listed \(Permission"
    with pytest.raises(RunError, match=message):
        scan(["r"])
    errors = []
    assert scan(["r"], on_unlisted=errors.append) == ["r/a.wav"]
    assert len(errors) == 1
    assert re.search(message, str(errors[0]))
    (here / "r/a.wav").unlink()
    with pytest.raises(NothingFoundError, match=r"no files\. r/closed: this folder cannot be"):
        scan(["r"], on_unlisted=errors.append)


def test_the_projects_own_recordings_are_found_and_differ_as_recordings_do():
    folder = Path(__file__).parents[2] / "recordings"
    found = scan([folder])
    assert len(found) == 12
    assert {Path(path).parent.name for path in found} == {"calls", "interview", "podcast"}
    assert {Path(path).suffix for path in found} == {".wav", ".flac", ".ogg", ".mp3", ".aiff"}
    known = [soundfile.info(path) for path in found]
    assert {info.samplerate for info in known} == {8000, 16000, 22050, 44100, 48000}
    assert {info.channels for info in known} == {1, 2}
    assert all(1.5 <= info.duration <= 5 for info in known)
    assert sum(os.path.getsize(path) for path in found) < 1.5e6


def test_patterns_have_slashes_where_paths_have_backslashes(monkeypatch):
    windows = types.SimpleNamespace(sep="\\", path=ntpath)
    monkeypatch.setattr(patterns, "os", windows)
    for drafts in ("*/drafts/*", "*\\drafts\\*"):
        selection = Selection(exclude=[drafts])
        assert not selection.takes_file("b\\drafts\\a.wav")
        assert selection.takes_file("b\\a.wav")
    assert Selection(include=["drafts/"]).takes_file("b\\drafts\\c\\a.wav")
    assert not Selection(include=["drafts/"]).takes_file("b\\other\\a.wav")
    assert not Selection(exclude=["drafts\\"]).enters("b\\drafts")
    assert Selection(include=["a.*"]).takes_file("b\\a.wav")


def test_what_begins_as_a_recording_is_taken_whatever_its_name(here, write_recording):
    content = Path(write_recording("one.wav")).read_bytes()
    for name in ("noext", "c5.wav.1", "c6.wav~", "c7.WAV49", "a.dat"):
        make(here, f"r/{name}")
        (here / "r" / name).write_bytes(content)
    make(here, "r/notes.txt")
    assert scan(["r"]) == ["r/a.dat", "r/c5.wav.1", "r/c6.wav~", "r/c7.WAV49", "r/noext"]


def test_what_is_skipped_is_counted_by_kind_and_named(here, write_recording):
    content = Path(write_recording("one.wav")).read_bytes()
    names = ("c3.wav.part", "c4.wav.crdownload", ".c2.wav.icloud", "._a.wav", "b.txt", "c.txt", "d")
    make(here, "r/a.wav", *(f"r/{name}" for name in names), "r/.git/a.wav")
    (here / "r/c3.wav.part").write_bytes(content)
    skipped = Skipped()
    assert scan(["r"], skipped=skipped) == ["r/a.wav"]
    assert str(skipped) == (
        "1 cloud placeholder, 2 hidden, 2 partial download, 3 not audio (.txt 2, no extension 1)"
    )
    assert ("r/c3.wav.part", "partial download") in skipped.files
    assert len(skipped.files) == 8
    everything = scan(["r"], Selection(all_files=True))
    assert everything == sorted(["r/a.wav", *(f"r/{name}" for name in names)])


def test_nothing_skipped_says_nothing(here):
    make(here, "r/a.wav")
    skipped = Skipped()
    scan(["r"], skipped=skipped)
    assert str(skipped) == ""
