"""Training of `whisper`, with the `cnn` that it is fused with."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support import synthetic_corpora

from serctl.audio.windows import Windowing
from serctl.errors import CheckpointError, UsageError
from serctl.models.classifier import Classifier
from serctl.models.config import CONFIG_FILE
from serctl.models.loading import load_model
from serctl.train.corpora.manifest import clip_table
from serctl.train.evaluation.held_out_logits import LOGITS_FILE
from serctl.train.recipes.schema import Recipe
from serctl.train.training import train
from serctl.train.training.fusion import class_offsets
from serctl.train.training.train import Watcher, train_model
from serctl.train.training.weights_folder import TrainingOptions

pytestmark = pytest.mark.slow

MODELS: list[str] = []  # that an epoch was trained of, in order
WATCHER = Watcher(
    lambda clips, n: clips, lambda histories, n, networks: MODELS.append(str(networks))
)
KEYS = ("corpora", "clips", "logits")
CNN, HEADS = "2", "5"  # by the number of their networks


def tiny_recipe(name: str) -> Recipe:
    recipe = synthetic_corpora.small_recipe(name)
    if recipe.heads is not None:
        heads = replace(recipe.heads, n_steps=20, batch_size=32, n_copies=0, n_noisy_copies=0)
        return replace(recipe, heads=heads)
    assert recipe.training is not None
    assert recipe.augmentation is not None
    augmentation = replace(recipe.augmentation, n_copies=0, copy_share=0.0)
    training = replace(recipe.training, n_epochs=2)
    return replace(recipe, training=training, augmentation=augmentation)


@pytest.fixture(scope="module")
def options(small_corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingOptions:
    return TrainingOptions(
        corpora=str(small_corpora),
        model="whisper",
        split="emobox-savee",
        fold=0,
        seed=0,
        n_epochs=None,
        device="cpu",
        output=tmp_path_factory.mktemp("fused") / "mine",
        resume=False,
        overwrite=False,
    )


@pytest.fixture(scope="module")
def trained(options: TrainingOptions) -> Iterator[Path]:
    """Trained after an interruption, once `cnn` was."""

    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "load_recipe", tiny_recipe)
        with pytest.MonkeyPatch.context() as interrupted:
            interrupted.setattr(train, "train_heads", stop)
            with pytest.raises(KeyboardInterrupt):
                train_model(options, WATCHER)
        assert set(MODELS) == {CNN}
        assert not (options.output / CONFIG_FILE).exists()
        MODELS.clear()
        train_model(replace(options, resume=True), WATCHER)
        yield options.output


def test_a_finished_second_model_is_not_trained_again(trained: Path) -> None:
    assert set(MODELS) == {HEADS}


def test_the_folder_names_the_model_below_it(trained: Path) -> None:
    model = load_model(trained)
    assert model.second is not None
    assert model.config.fusion is not None
    assert model.config.fusion.sha256 == load_model(trained / "cnn").config.sha256
    sums = np.array(model.config.fusion.class_offsets).sum(axis=0)
    np.testing.assert_allclose(sums, 0, atol=0.5)  # speakers of few emotions are among them


def test_test_clips_are_scored_by_both(trained: Path, options: TrainingOptions) -> None:
    held_out = np.load(trained / LOGITS_FILE)
    table = clip_table(options.corpora).set_index(["corpus", "clip"])
    model = load_model(trained)
    classifier = Classifier(model, device="cpu", windowing=Windowing("off"))
    for corpus, clip, logits in zip(*(held_out[key] for key in KEYS), strict=True):
        path = table.loc[(corpus, clip), "path"]
        found = np.array(classifier.classify(path).probabilities)
        expected = np.exp((logits - logits.max()) / model.config.temperature)
        np.testing.assert_allclose(found, expected / expected.sum(), atol=2e-3)


def test_the_card_counts_both(trained: Path) -> None:
    assert "averaged with the log-probabilities of `cnn`" in " ".join(
        (trained / "card.md").read_text().split()
    )


def test_a_second_model_of_another_training_is_refused(
    trained: Path, options: TrainingOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    (trained / CONFIG_FILE).rename(trained / "config-before.json")
    monkeypatch.setattr(train, "load_recipe", tiny_recipe)
    with pytest.raises(UsageError, match=r"cnn: contains a model"):
        train_model(options, WATCHER)
    with pytest.raises(CheckpointError, match="cnn: was trained by another recipe or command"):
        train_model(replace(options, resume=True, seed=1), WATCHER)


def test_class_offsets_are_what_emotions_do_to_a_speakers_scores() -> None:
    random = np.random.default_rng(0)
    labels, speakers = np.tile(np.repeat(np.arange(3), 4), 5), np.repeat(np.arange(5), 12)
    places, effects = random.normal(0, 5, (5, 3)), random.normal(0, 1, (3, 3))
    scores = places[speakers] + effects[labels]
    found = class_offsets(scores, labels, speakers.astype(str))
    np.testing.assert_allclose(found, effects - effects.mean(axis=0), atol=1e-9)
