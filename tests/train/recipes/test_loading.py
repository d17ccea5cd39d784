import shutil
from pathlib import Path

import pytest

from serctl.emotions import EMOTIONS, REPORT_FIVE
from serctl.errors import UsageError
from serctl.features.mel import MelSpec
from serctl.models.inputs import CLIP_STATISTICS
from serctl.models.networks import NETWORKS, whisper_graph
from serctl.train.recipes import loading
from serctl.train.recipes.loading import load_recipe, recipe_names


@pytest.fixture
def recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of recipes that may be changed."""
    folder = tmp_path / "recipes"
    shutil.copytree(loading.RECIPES, folder)
    monkeypatch.setattr(loading, "RECIPES", folder)
    return folder


def change(recipes: Path, old: str, new: str) -> None:
    path = recipes / "paper-cnn.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_can_be_followed(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.model.name == name
    assert recipe.model.network in NETWORKS
    known = [emotion for emotion in EMOTIONS if emotion in recipe.model.emotions]
    assert list(recipe.model.emotions) == known
    assert 0 < recipe.model.min_duration_s < recipe.model.window_s
    if recipe.svm is not None:
        assert recipe.training is recipe.augmentation is None
        assert min(recipe.svm.costs) > 0
        return
    if recipe.heads is not None:
        n_heads = len(whisper_graph.HEADS)
        of_heads = ("noisy_shares", "speaker_shifts", "label_smoothing")
        assert {len(getattr(recipe.heads, key)) for key in of_heads} == {n_heads}
        assert min(recipe.heads.n_steps, recipe.heads.batch_size, recipe.heads.n_copies) >= 1
        assert 0 < recipe.heads.neutral_weight <= 1
        assert 0 < recipe.heads.copy_share + max(recipe.heads.noisy_shares) < 1
        return
    training = recipe.training
    assert training is not None
    assert min(training.n_epochs, training.n_passes, training.patience, training.batch_size) >= 1
    assert training.learning_rate > 0
    assert 0 <= training.ema_decay < 1
    # Only networks that take frames have their spectrograms augmented.
    assert (recipe.augmentation is None) == (
        NETWORKS[recipe.model.network].inputs is CLIP_STATISTICS
    )
    if recipe.augmentation is not None:
        assert (recipe.augmentation.n_copies > 0) == (recipe.augmentation.copy_share > 0)


@pytest.mark.parametrize("name", ["paper-svm", "paper-rnn", "paper-cnn"])
def test_the_reports_networks_have_the_reports_emotions_and_features(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.model.emotions == REPORT_FIVE
    assert recipe.features == MelSpec()


def test_an_unknown_recipe_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"paper-svn: no recipe; there are recipes of .*paper-cnn"):
        load_recipe("paper-svn")


@pytest.mark.parametrize("name", ["../recipes/paper-cnn", "paper-cnn.toml", ""])
def test_a_path_is_no_recipe(name: str) -> None:
    with pytest.raises(UsageError, match="no recipe"):
        load_recipe(name)


def test_a_network_of_several_members_needs_a_table_for_each(recipes: Path) -> None:
    path = recipes / "cnn.toml"
    text = path.read_text()
    path.write_text(text[: text.rindex("[[members]]")])
    with pytest.raises(ValueError, match=r"cnn\.toml: 1 tables members, 2 are needed"):
        load_recipe("cnn")
    change(recipes, "[features]", "[[members]]\n[features]")
    with pytest.raises(ValueError, match="MemberRecipe: keys"):
        load_recipe("paper-cnn")


def test_an_unknown_key_is_an_error(recipes: Path) -> None:
    change(recipes, "patience =", "patients =")
    with pytest.raises(ValueError, match=r"TrainingRecipe: keys .*'patients'"):
        load_recipe("paper-cnn")


def test_a_missing_key_is_an_error(recipes: Path) -> None:
    change(recipes, "top_db = 80.0", "")
    with pytest.raises(ValueError, match=r"MelSpec: keys .*needed are .*'top_db'"):
        load_recipe("paper-cnn")


def test_an_unknown_table_is_an_error(recipes: Path) -> None:
    change(recipes, "[model]", "[schedule]\n[model]")
    with pytest.raises(ValueError, match=r"paper-cnn\.toml: unknown tables schedule"):
        load_recipe("paper-cnn")


def test_a_word_that_means_nothing_is_an_error(recipes: Path) -> None:
    change(recipes, '"constant"', '"falling"')
    message = "schedule is 'falling', needed is one of constant, one-cycle"
    with pytest.raises(ValueError, match=message):
        load_recipe("paper-cnn")


def test_a_recipe_says_how_it_is_trained_once(recipes: Path) -> None:
    change(recipes, "[model]", "[svm]\ncosts = [1.0]\n[model]")
    with pytest.raises(ValueError, match="one table of training, svm, heads is needed"):
        load_recipe("paper-cnn")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("n_passes = 1", 'n_passes = "1"', "n_passes is '1', needed is int"),
        ("batch_size = 64", "batch_size = 6.5", "batch_size is 6.5, needed is int"),
        ("ema_ramp = false", "ema_ramp = 0", "ema_ramp is 0, needed is bool"),
        ("noise = 0.15", "noise = true", "noise is True, needed is float"),
        ('"angry", ', "1, ", r"emotions is \[1, .*needed is a list of str"),
    ],
)
def test_a_value_of_another_type_is_an_error(
    recipes: Path, old: str, new: str, message: str
) -> None:
    change(recipes, old, new)
    with pytest.raises(ValueError, match=message):
        load_recipe("paper-cnn")


@pytest.mark.parametrize("table", ["augmentation", "mixing", "auxiliary", "distillation"])
def test_a_table_that_would_do_nothing_is_an_error(recipes: Path, table: str) -> None:
    text = (recipes / "cnn.toml").read_text()
    its_keys = text[text.index(f"[{table}]") :].split("\n\n")[0]
    change(recipes, "[model]", f"{its_keys}\n[model]")
    with pytest.raises(ValueError, match=f"a table {table}, which does nothing for paper-cnn"):
        load_recipe("paper-cnn")


def test_an_unknown_network_is_an_error(recipes: Path) -> None:
    change(recipes, 'network = "paper-cnn"', 'network = "paper-dnn"')
    with pytest.raises(ValueError, match=r"network paper-dnn, there are .*paper-cnn"):
        load_recipe("paper-cnn")
