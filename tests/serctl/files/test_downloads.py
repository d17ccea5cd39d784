import hashlib
import os
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.buckets import put

from serctl.errors import DownloadError
from serctl.files import downloads, objects
from serctl.files.downloads import local_file

PATH = "s3://b/calls/a.WAV"


@pytest.fixture(autouse=True)
def pauses_s(monkeypatch):
    monkeypatch.setattr(downloads, "PAUSES_S", (0.0, 0.0))


@pytest.fixture
def breaks(monkeypatch):
    """Give a function that makes downloads yield other blocks, one attempt after the other."""

    def replace(*attempts):
        left = list(attempts)

        class Stream:
            def __init__(self):
                self.blocks = left.pop(0)

            def read(self, n_bytes):
                block = self.blocks.pop(0) if self.blocks else b""
                if isinstance(block, Exception):
                    raise block
                return block

        @contextmanager
        def open_input_stream(inside, compression):
            yield Stream()

        store = SimpleNamespace(open_input_stream=open_input_stream)
        monkeypatch.setattr(downloads, "file_system", lambda *address: store)
        return left

    return replace


def test_a_file_is_itself(tmp_path):
    with local_file("a.wav") as file:
        assert file == ("a.wav", None, "")


def test_an_object_is_copied_for_a_while(buckets, tmp_path):
    put(buckets, "b/calls/a.WAV")
    with local_file(PATH, str(tmp_path / "run"), "17") as file:
        assert file.path == str(tmp_path / "run" / "17.WAV")
        content = (tmp_path / "run" / "17.WAV").read_bytes()
        assert content == b"b/calls/a.WAV"
        assert file.content == hashlib.sha256(content).hexdigest()[:32]
        assert file.known == objects.look_up(PATH)
        assert os.stat(tmp_path / "run").st_mode & 0o777 == 0o700
    assert os.listdir(tmp_path / "run") == []
    with local_file(PATH) as file:
        temporary = os.path.dirname(file.path)
        assert os.path.exists(file.path)
    assert not os.path.exists(temporary)


def test_only_plain_extensions_are_kept(buckets, tmp_path):
    put(buckets, "b/a.w v", "b/a.gz", "b/a." + "w" * 20)
    for key, name in (("a.w v", "0"), ("a.gz", "0.gz"), ("a." + "w" * 20, "0")):
        with local_file(f"s3://b/{key}", str(tmp_path)) as file:
            assert os.path.basename(file.path) == name
            assert (tmp_path / name).read_text() == f"b/{key}"  # as it is, also if called .gz


def test_what_comes_in_blocks_is_whole(buckets, tmp_path, monkeypatch):
    put(buckets, "b/calls/a.WAV")
    monkeypatch.setattr(downloads, "BLOCK_BYTES", 4)
    seen = []
    with local_file(PATH, str(tmp_path), on_block=lambda: seen.append(1)) as file:
        assert Path(file.path).read_bytes() == b"b/calls/a.WAV"
    assert len(seen) == 4


def test_a_download_that_breaks_off_is_tried_again(buckets, tmp_path, breaks):
    put(buckets, "b/calls/a.WAV")
    left = breaks(
        [b"b/cal"], [b"b/cal", OSError("AWS Error NETWORK_CONNECTION")], [b"b/calls/a.WAV"]
    )
    with local_file(PATH, str(tmp_path)) as file:
        assert Path(file.path).read_bytes() == b"b/calls/a.WAV"
    assert left == []


def test_a_download_that_goes_on_breaking_off_fails(buckets, tmp_path, breaks):
    put(buckets, "b/calls/a.WAV")
    breaks(*([b"b/cal"] for _ in range(3)))
    with pytest.raises(DownloadError, match=r"broke off after 5 of 13 bytes\. Tried 3 times\."):
        local_file(PATH, str(tmp_path / "run")).__enter__()
    assert os.listdir(tmp_path / "run") == []


def test_what_is_not_transient_is_not_tried_again(buckets, tmp_path, breaks):
    left = breaks([b""])
    with pytest.raises(DownloadError, match="There is no such object"):
        local_file(PATH, str(tmp_path)).__enter__()
    put(buckets, "b/calls/a.WAV")
    left = breaks([OSError("AWS Error ACCESS_DENIED during GetObject")], [b""])
    with pytest.raises(DownloadError, match=r"No permission \(ACCESS_DENIED\)"):
        local_file(PATH, str(tmp_path)).__enter__()
    assert len(left) == 1


def test_an_object_that_is_replaced_meanwhile_is_downloaded_again(buckets, tmp_path, breaks):
    put(buckets, "b/calls/a.WAV")

    class Replacing(list):
        def pop(self, i):
            os.utime(buckets / "b" / "calls" / "a.WAV", (1, 1))
            return super().pop(i)

    whole = (b"b/calls/", b"a.WAV")
    breaks(Replacing(whole), list(whole))
    with local_file(PATH, str(tmp_path)) as file:
        assert file.known.mtime_ns == 1_000_000_000


def test_a_full_disk_is_said(buckets, tmp_path, monkeypatch):
    put(buckets, "b/calls/a.WAV")
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match="set TMPDIR to another folder"):
        local_file(PATH, str(tmp_path / "file")).__enter__()
    monkeypatch.setattr(downloads, "_extension", lambda path: "/full")
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "full").symlink_to("/dev/full")
    with pytest.raises(DownloadError, match=r"No space left on device\)\. Free some space"):
        local_file(PATH, str(tmp_path)).__enter__()


def test_whoever_is_called_for_blocks_can_stop_it(buckets, tmp_path):
    put(buckets, "b/calls/a.WAV")

    def stop():
        raise TimeoutError

    with pytest.raises(TimeoutError):
        local_file(PATH, str(tmp_path / "run"), on_block=stop).__enter__()
    assert os.listdir(tmp_path / "run") == []
