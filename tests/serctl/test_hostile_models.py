"""Weights folders made to do harm; see also test_models.py."""

import shutil

import pytest
from support.hostile_weights import HOSTILE, huge_config

from serctl.cli import run
from serctl.errors import ModelError
from serctl.models.config import CONFIG_FILE, MAX_CONFIG_BYTES
from serctl.models.loading import load_model


@pytest.fixture
def folder(tiny_folder, tmp_path):
    """A copy of the tiny model's folder, to be spoilt."""
    return shutil.copytree(tiny_folder, tmp_path / "model")


@pytest.mark.parametrize("spoil", HOSTILE, ids=lambda spoil: spoil.__name__)
def test_a_hostile_weights_folder_is_refused(folder, spoil):
    spoil(folder)
    with pytest.raises(ModelError, match=HOSTILE[spoil]) as caught:
        load_model(str(folder))
    assert len(str(caught.value)) < 800
    assert "\x1b" not in str(caught.value)


def test_the_command_refuses_it_with_status_3_and_leaves_no_output(
    folder, recordings, tmp_path, capfd
):
    huge_config(folder)
    output = tmp_path / "out.csv"
    assert run(["classify", str(recordings), "--model", str(folder), "-o", str(output)]) == 3
    assert "config.json: 1099511627776 bytes" in capfd.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


def test_a_config_of_just_the_largest_size_is_read(folder):
    text = (folder / CONFIG_FILE).read_text()
    (folder / CONFIG_FILE).write_text(text.ljust(MAX_CONFIG_BYTES))
    assert load_model(str(folder)).config.name == "tiny"
    (folder / CONFIG_FILE).write_text(text.ljust(MAX_CONFIG_BYTES + 1))
    with pytest.raises(ModelError, match="1048577 bytes"):
        load_model(str(folder))


def test_links_to_the_files_are_followed(folder, tmp_path):
    linked = tmp_path / "linked"
    linked.mkdir()
    for path in folder.iterdir():
        (linked / path.name).symlink_to(path)
    assert load_model(str(linked)).config.name == "tiny"
