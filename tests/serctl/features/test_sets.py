import importlib.util

import pytest

from serctl.cli.features_options import SETS as OFFERED
from serctl.errors import RunError, UsageError
from serctl.features import sets
from serctl.features.formats import _arrays
from serctl.models.embedding import MAX_WINDOW_S
from serctl.models.inputs import WHISPER_LOG_MEL
from serctl.models.networks.whisper_graph import N_EMBEDDING


def test_the_sets_are_those_of_the_command() -> None:
    assert sets.SETS == OFFERED


def test_the_embedding_is_that_of_the_bundled_encoder() -> None:
    assert sets.N_EMBEDDING == N_EMBEDDING
    assert MAX_WINDOW_S * 100 + 1 <= WHISPER_LOG_MEL.max_frames


@pytest.mark.parametrize("name", ["report", "embedding"])
def test_names_are_all_different(name: str) -> None:
    names = sets.names_of(name)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("name", "package", "licence"),
    [("prosody", "praat-parselmouth", "GPL"), ("egemaps", "opensmile", "research")],
)
def test_a_package_that_is_not_installed_is_named_with_its_licence(
    monkeypatch: pytest.MonkeyPatch, name: str, package: str, licence: str
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(RunError, match=rf"licence: .*{licence}.* pip install {package}$"):
        sets.check_set(name, "f.csv", frames=False)
    sets.check_set("report", "f.csv", frames=True)


def test_only_the_report_has_frames() -> None:
    with pytest.raises(UsageError, match=r"--set embedding: has no frames\. Remove"):
        sets.check_set("embedding", "f.npz", frames=True)


def test_numbered_columns_are_one_array() -> None:
    assert _arrays(["a_1", "a_2", "b", "c_hz_mean", "a_3"]) == {
        "a": [0, 1, 4],
        "b": [2],
        "c_hz_mean": [3],
    }
