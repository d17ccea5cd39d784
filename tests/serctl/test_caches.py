"""Where libraries keep what they compute once: a folder that the user names, or the user's cache."""

import tempfile

import pytest

from serctl import caches
from serctl.errors import RunError


@pytest.fixture
def read_only(monkeypatch):
    """A system on which nothing can be written, as in a read-only container."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/none")
    monkeypatch.setattr(tempfile, "tempdir", "/proc/none")
    monkeypatch.setattr(caches, "PACKAGE", "/proc/none")
    caches.writable_folder.cache_clear()
    yield
    caches.writable_folder.cache_clear()


@pytest.mark.skipif(not hasattr(caches.os, "geteuid"), reason="/proc of Linux")
@pytest.mark.parametrize(
    ("variable", "load"),
    [("NUMBA_CACHE_DIR", caches.import_numba), ("MPLCONFIGDIR", caches.import_matplotlib)],
)
def test_without_any_folder_it_says_what_to_set(read_only, monkeypatch, variable, load):
    monkeypatch.delenv(variable, raising=False)
    with pytest.raises(RunError, match=r"/proc/none.* is not writable.* Set TMPDIR to a folder"):
        load()
    monkeypatch.setenv(variable, "/proc/none")  # the user's own choice stays
    load()


def test_the_folder_may_be_named(monkeypatch, tmp_path):
    named = tmp_path / "named"
    monkeypatch.setenv("SERCTL_CACHE_DIR", str(named))
    caches.writable_folder.cache_clear()
    try:
        assert caches.cache_folder() == caches.writable_folder() == str(named)
    finally:
        caches.writable_folder.cache_clear()
    assert named.stat().st_mode & 0o777 == 0o700
