"""Synthetic corpora and a feature cache, one for all processes that run the tests."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
from support import synthetic_corpora


def synthetic_clips(factory: pytest.TempPathFactory) -> Path:
    """Folder of synthetic clips that pass for complete corpora; tests leave it as it is."""
    clips = _folder(factory) / "corpora"
    if not clips.exists():
        own = synthetic_corpora.write_clips(factory.mktemp("corpora"))
        with suppress(OSError):  # another process was faster, with the same clips
            own.rename(clips)
    return clips


def feature_cache(factory: pytest.TempPathFactory) -> Path:
    """Cache of the features of those clips, by the content of each clip."""
    return _folder(factory) / "cache"


def _folder(factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run of pytest have."""
    own = factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    folder.mkdir(exist_ok=True)
    return folder
