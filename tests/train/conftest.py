from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from support import synthetic_corpora


@pytest.fixture
def small_corpora(clips_folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of synthetic clips that pass for complete corpora."""
    synthetic_corpora.install(monkeypatch)
    monkeypatch.setenv("SERCTL_CACHE", str(cache))
    return clips_folder


@pytest.fixture(scope="module", autouse=True)
def torch_settings() -> Iterator[None]:
    """One thread, since weights are the same only for the same number; all is put back."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)
    if torch.are_deterministic_algorithms_enabled():
        torch.set_deterministic_debug_mode("default")
