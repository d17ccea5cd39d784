from collections.abc import Iterator
from pathlib import Path

import pytest
from support import synthetic_corpora


@pytest.fixture(scope="module")
def small_corpora(clips_folder: Path, cache: Path) -> Iterator[Path]:
    """Folder of synthetic clips that pass for complete corpora in the whole of a module."""
    with pytest.MonkeyPatch.context() as patch:
        synthetic_corpora.install(patch)
        patch.setenv("SERCTL_CACHE", str(cache))
        yield clips_folder
