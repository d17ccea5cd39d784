import hashlib
import os

from serctl.files import stamps
from serctl.files.stamps import RealPaths, Stamp, content_hash, is_unchanged, stamp_of


def test_a_hash_is_of_the_content_of_a_regular_file_that_is_not_too_long(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"audio" * 1_000_000)
    assert content_hash(str(path)) == hashlib.sha256(path.read_bytes()).hexdigest()[:32]
    monkeypatch.setattr(stamps, "MOST_HASHED_BYTES", 100)
    assert content_hash(str(path)) == ""
    os.mkfifo(tmp_path / "pipe")  # is not waited for
    for name in ("pipe", "gone", ".", "zero\0byte"):
        assert content_hash(str(tmp_path / name)) == ""


def test_a_hash_decides_only_where_size_and_time_are_the_same(tmp_path):
    path = tmp_path / "a"
    path.write_text("audio")
    stamp, content = stamp_of(str(path)), content_hash(str(path))
    assert is_unchanged(str(path), stamp)
    other = stamp._replace(inode=stamp.inode + 1)
    assert is_unchanged(str(path), other, content)
    assert not is_unchanged(str(path), other)
    assert not is_unchanged(str(path), other, "another")
    assert not is_unchanged(str(path), other._replace(mtime_ns=1), content)
    gone = str(tmp_path / "gone")
    assert is_unchanged(gone, Stamp(None, None))
    assert not is_unchanged(gone, stamp, content)


def test_a_real_path_is_that_of_the_folder(tmp_path, monkeypatch):
    (tmp_path / "b").mkdir()
    (tmp_path / "link").symlink_to("b")
    monkeypatch.chdir(tmp_path)
    real_path = RealPaths()
    expected = str(tmp_path.resolve() / "b" / "a.wav")
    for path in ("b/a.wav", "./b/a.wav", "link/a.wav", f"{tmp_path}/b/../b//a.wav"):
        assert real_path(path) == expected
    assert real_path("a.wav") == str(tmp_path.resolve() / "a.wav")
