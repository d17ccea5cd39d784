"""Where caches are: a folder that the user names, or the user's cache."""

from pathlib import Path

import pytest

from serctl import caches


def test_the_folder_may_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    named = tmp_path / "named"
    monkeypatch.setenv("SERCTL_CACHE_DIR", str(named))
    caches.writable_folder.cache_clear()
    try:
        assert caches.cache_folder() == caches.writable_folder() == str(named)
    finally:
        caches.writable_folder.cache_clear()
    assert named.stat().st_mode & 0o777 == 0o700
