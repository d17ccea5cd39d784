import errno
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from click import Context
from support import synthetic_corpora

from serctl.audio.windows import Windowing
from serctl.cli import run
from serctl.cli.train import train
from serctl.emotions import REPORT_FIVE
from serctl.engine.pipeline import classify_recordings
from serctl.errors import AudioError, CorporaError, ModelError, ResultsError, RunError, UsageError
from serctl.models.classifier import Classifier
from serctl.models.loading import load_model
from serctl.train.corpora.manifest import SILENT_CLIP, clip_table
from serctl.train.corpora.splits import clips_of, emotions_of, split_clips
from serctl.train.data import feature_cache
from serctl.train.documents.card import card_text
from serctl.train.evaluation import figures
from serctl.train.evaluation.history import History
from serctl.train.evaluation.labelled import recordings_of_split
from serctl.train.evaluation.scores import Scores
from serctl.train.recipes.loading import load_recipe
from serctl.train.training import precision, weights_folder
from serctl.train.training import train as training
from serctl.train.training.train import Watcher, train_model
from serctl.train.training.weights_folder import TrainingOptions, command_line

pytestmark = pytest.mark.slow

FILES = {
    "model.safetensors",
    "config.json",
    "metrics.json",
    "card.md",
    "learning_curve.png",
    "confusion_matrix.png",
    "test_logits.npz",
}
FEW_EPOCHS = 3


class KilledError(BaseException):
    """Stands for a kill."""


@dataclass
class Calls:
    """Calls of the watcher: how many clips, and the epochs done of how many."""

    n_clips: int = 0
    epochs: list[tuple[int, int]] | None = None
    killed_after: int | None = None

    def watcher(self) -> Watcher:
        self.epochs = []
        return Watcher(self._clips, self._epochs)

    def _clips(self, rows: Iterable[Any], n_clips: int) -> Iterator[Any]:
        n_before = self.n_clips
        for row in rows:
            self.n_clips += 1
            yield row
        assert self.n_clips == n_before + n_clips

    def _epochs(self, histories: Sequence[History], n_epochs: int, n_networks: int) -> None:
        assert self.epochs is not None
        assert 1 <= len(histories) <= n_networks
        history = histories[-1]
        self.epochs.append((len(history.epochs), n_epochs))
        if len(history.epochs) == self.killed_after:
            raise KilledError


def few(corpora: Path, output: Path, **changes: Any) -> TrainingOptions:
    """Options of a training of few epochs."""
    options = TrainingOptions(
        corpora=str(corpora),
        model="paper-cnn",
        split="new-speakers",
        fold=0,
        seed=0,
        n_epochs=FEW_EPOCHS,
        device="cpu",
        output=output,
        resume=False,
        overwrite=False,
    )
    return replace(options, **changes)


def fit(options: TrainingOptions, killed_after: int | None = None) -> Scores:
    return train_model(options, Calls(killed_after=killed_after).watcher())


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def metrics_of(folder: Path) -> dict[str, Any]:
    metrics: dict[str, Any] = json.loads((folder / "metrics.json").read_text())
    return metrics


@dataclass
class Trained:
    """A training to the end, by the recipe."""

    options: TrainingOptions
    folder: Path
    scores: Scores
    calls: Calls


@pytest.fixture(scope="module")
def trained(small_corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("trained") / "paper-cnn"
    options = few(small_corpora, folder, n_epochs=None)
    calls = Calls()
    with pytest.MonkeyPatch.context() as patch:
        for name in synthetic_corpora.FIGURES:
            patch.setattr(weights_folder, name, getattr(figures, name))
        scores = train_model(options, calls.watcher())
    return Trained(options, folder, scores, calls)


@pytest.fixture(scope="module")
def short(small_corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights folder of few epochs, unbroken; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("short")
    fit(few(small_corpora, folder))
    return folder


@pytest.fixture
def cut_off(small_corpora: Path, tmp_path: Path) -> Path:
    """Folder of the same training, killed after an epoch."""
    folder = tmp_path / "cut-off"
    with pytest.raises(KilledError):
        fit(few(small_corpora, folder), killed_after=1)
    return folder


# The weights folder


def test_the_folder_holds_what_a_model_has(trained: Trained) -> None:
    assert {path.name for path in trained.folder.iterdir()} == FILES
    for path in trained.folder.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")


def test_the_model_loads_and_is_the_recipes(trained: Trained) -> None:
    recipe = synthetic_corpora.small_recipe("paper-cnn")
    config = load_model(str(trained.folder)).config
    for name in ("name", "network", "emotions", "window_s", "min_duration_s"):
        assert getattr(config, name) == getattr(recipe.model, name)
    assert config.features == recipe.features
    assert 0.1 <= config.temperature <= 10


def test_it_learns_what_new_speakers_sound_like(trained: Trained) -> None:
    assert trained.scores.ua > 0.7
    assert set(trained.scores.by_corpus) == {"crema-d", "ravdess", "savee", "tess"}


def test_it_reports_every_clip_and_epoch(trained: Trained) -> None:
    metrics = metrics_of(trained.folder)
    n_epochs = synthetic_corpora.small_recipe("paper-cnn").training.n_epochs
    assert trained.calls.n_clips == len(clips_of_five(trained.options.corpora))
    assert trained.calls.epochs == [(i, n_epochs) for i in range(n_epochs + 1)]
    (history,) = metrics["histories"]
    assert len(history["epochs"]) == n_epochs


def clips_of_five(corpora: str) -> Any:
    clips = clip_table(corpora)
    emotions = synthetic_corpora.small_recipe("paper-cnn").model.emotions
    return clips[clips["emotion"].isin(emotions)].reset_index(drop=True)


def test_metrics_say_what_was_done(trained: Trained) -> None:
    metrics = metrics_of(trained.folder)
    split = split_clips(clips_of_five(trained.options.corpora), "new-speakers", 0)
    assert (metrics["n_train"], metrics["n_validation"]) == (
        len(split.train),
        len(split.validation),
    )
    assert metrics["test"] == json.loads(json.dumps(asdict(trained.scores)))
    assert metrics["test"]["n_clips"] == len(split.test)
    recipe = synthetic_corpora.small_recipe("paper-cnn")
    assert recipe.augmentation is recipe.svm is None  # so the metrics have none of them
    tables = ("model", "features", "training")
    assert metrics["recipe"] == json.loads(json.dumps({t: asdict(recipe)[t] for t in tables}))
    assert metrics["temperature"] == load_model(str(trained.folder)).config.temperature
    assert (metrics["split"], metrics["fold"], metrics["seed"]) == ("new-speakers", 0, 0)
    assert metrics["made_with"]["torch"] == str(torch.__version__)
    assert metrics["made_with"]["device"] == "cpu"
    assert metrics["made_with"]["precision"] == "float32"


@pytest.mark.parametrize(("native", "found"), [(True, "bfloat16"), (False, "float32")])
def test_the_precision_is_in_the_metrics_and_kept_on_resume(
    small_corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, native: bool, found: str
) -> None:
    recipe = synthetic_corpora.small_recipe("paper-cnn")
    assert recipe.training is not None
    recipe = replace(recipe, training=replace(recipe.training, precision="bfloat16"))
    monkeypatch.setattr(training, "load_recipe", lambda name: recipe)
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: native)
    options = few(small_corpora, tmp_path, resume=True)
    with pytest.raises(KilledError):
        fit(options, killed_after=1)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(precision, "has_bfloat16", lambda device: not native)
        with pytest.raises(RunError, match=rf"a training with training\.precision {found}; this"):
            fit(options)
    fit(options)
    metrics = metrics_of(tmp_path)
    assert metrics["made_with"]["precision"] == found
    assert metrics["recipe"]["training"]["precision"] == "bfloat16"
    card = " ".join((tmp_path / "card.md").read_text().split())
    assert f"trained in {found}" in card


def test_the_card_is_that_of_the_metrics(trained: Trained) -> None:
    config = load_model(str(trained.folder)).config
    expected = card_text(config, metrics_of(trained.folder))
    assert (trained.folder / "card.md").read_text() == expected


@pytest.mark.parametrize(
    ("split", "number"), [("new-speakers", 0), ("new-speakers", 4), ("report", 1)]
)
def test_evaluate_scores_the_same(
    small_corpora: Path, tmp_path: Path, split: str, number: int
) -> None:
    # Fold 4 has the silent clip, for which `classify` has no prediction.
    fold, seed = (number, 0) if split == "new-speakers" else (0, number)
    scores = fit(few(small_corpora, tmp_path / "model", split=split, fold=fold, seed=seed))
    model = load_model(str(tmp_path / "model"))
    clips = recordings_of_split(str(small_corpora), split, fold, seed, model.config.emotions)
    results = list(
        classify_recordings(
            clips.paths, Classifier(model, device="cpu", windowing=Windowing(speech="off"))
        )
    )
    assert clips.score(results) == scores
    is_tested = any(Path(path).stem == SILENT_CLIP[1] for path in clips.paths)
    assert scores.n_without_prediction == is_tested
    assert is_tested or number != 4


def test_logits_of_the_test_part_are_kept(trained: Trained) -> None:
    kept = np.load(trained.folder / "test_logits.npz")
    emotions = kept["emotions"].tolist()
    assert emotions == list(trained.scores.emotions)
    assert kept["logits"].dtype == np.float32
    right = kept["has_prediction"] & (kept["logits"].argmax(axis=1) == kept["references"])
    assert right.mean() == pytest.approx(trained.scores.wa)
    clips = clips_of_five(trained.options.corpora)
    tested = clips.iloc[split_clips(clips, "new-speakers", 0).test]
    for key, column in (("corpora", "corpus"), ("clips", "clip"), ("speakers", "speaker")):
        assert kept[key].tolist() == tested[column].tolist()
    assert [emotions[i] for i in kept["references"]] == tested["emotion"].tolist()


# Any model, any split


@pytest.fixture(scope="module", params=["paper-svm", "paper-rnn", "cnn"])
def of_any_model(
    request: pytest.FixtureRequest, small_corpora: Path, tmp_path_factory: pytest.TempPathFactory
) -> Trained:
    """A training of each of the other models."""
    folder = tmp_path_factory.mktemp("any") / request.param
    n_epochs = {"paper-svm": None, "paper-rnn": 6, "cnn": 8}[request.param]
    options = few(small_corpora, folder, model=request.param, n_epochs=n_epochs)
    calls = Calls()
    return Trained(options, folder, train_model(options, calls.watcher()), calls)


def test_any_model_learns_loads_and_scores_as_in_classify(of_any_model: Trained) -> None:
    options, folder = of_any_model.options, of_any_model.folder
    is_svm = options.model == "paper-svm"
    without = {"learning_curve.png"} if is_svm else set()
    assert {path.name for path in folder.iterdir()} == FILES - without
    model = load_model(str(folder))
    recipe = synthetic_corpora.small_recipe(options.model)
    assert model.config.emotions == recipe.model.emotions
    assert model.config.features == recipe.features
    assert of_any_model.scores.ua > 0.5  # chance is at most 0.2
    clips = recordings_of_split(options.corpora, "new-speakers", 0, 0, model.config.emotions)
    results = list(
        classify_recordings(
            clips.paths, Classifier(model, device="cpu", windowing=Windowing(speech="off"))
        )
    )
    assert clips.score(results) == of_any_model.scores


def test_augmented_copies_are_made_of_training_clips_only(of_any_model: Trained) -> None:
    metrics = metrics_of(of_any_model.folder)
    recipe = synthetic_corpora.small_recipe(of_any_model.options.model)
    n_copies = recipe.augmentation.n_copies if recipe.augmentation else 0
    assert n_copies == (of_any_model.options.model == "cnn")
    clips = clip_table(of_any_model.options.corpora)
    n_clips = len(clips_of(clips, recipe.model.emotions))
    n_distilled = 2 * (recipe.distillation is not None)  # activations and embeddings of the clips
    assert of_any_model.calls.n_clips == n_clips + (n_copies + n_distilled) * metrics["n_train"]


def test_the_metrics_have_what_an_svm_chose(small_corpora: Path, tmp_path: Path) -> None:
    fit(few(small_corpora, tmp_path, model="paper-svm", n_epochs=None))
    metrics = metrics_of(tmp_path)
    assert "histories" not in metrics
    trials = metrics["cost_search"]["trials"]
    assert [one["cost"] for one in trials] == metrics["recipe"]["svm"]["costs"]
    best = metrics["cost_search"]["best"]
    assert trials[best]["validation_accuracy"] == max(one["validation_accuracy"] for one in trials)


def test_an_svm_has_no_epochs(small_corpora: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"paper-svm: has no epochs\. Leave out --epochs"):
        fit(few(small_corpora, tmp_path / "svm", model="paper-svm", n_epochs=3))


@pytest.mark.parametrize("model", ["paper-rnn", "cnn"])
def test_frames_too_are_resumed_to_the_same_weights(
    small_corpora: Path, tmp_path: Path, model: str
) -> None:
    options = few(small_corpora, tmp_path / "killed", model=model)
    with pytest.raises(KilledError):
        fit(options, killed_after=1)
    fit(replace(options, resume=True))
    fit(replace(options, output=tmp_path / "unbroken"))
    assert weights(tmp_path / "killed") == weights(tmp_path / "unbroken")
    assert metrics_of(tmp_path / "killed") == metrics_of(tmp_path / "unbroken")


@pytest.mark.parametrize(
    ("split", "emotions"),
    [
        ("emobox-crema-d", "angry disgust fear happy sad neutral"),
        ("emobox-ravdess", "angry disgust fear happy sad neutral calm surprise"),
        ("emobox-savee", "angry disgust fear happy sad neutral surprise"),
        ("emobox-tess", "angry disgust fear happy sad neutral surprise"),
    ],
)
def test_a_model_of_one_corpus_has_all_of_its_emotions(
    small_corpora: Path, tmp_path: Path, split: str, emotions: str
) -> None:
    scores = fit(few(small_corpora, tmp_path, model="paper-svm", n_epochs=None, split=split))
    assert load_model(str(tmp_path)).config.emotions == tuple(emotions.split())
    assert set(scores.by_corpus) == {split.removeprefix("emobox-")}
    metrics = metrics_of(tmp_path)
    assert (metrics["split"], metrics["fold"]) == (split, 0)
    assert metrics["recipe"]["model"]["emotions"] == emotions.split()
    assert f"--split {split} --fold 0" in metrics["command"]


def test_the_report_split_is_of_the_five_and_others_count_calm_as_neutral(
    small_corpora: Path,
) -> None:
    table = clip_table(small_corpora)
    known = load_recipe("cnn").model.emotions
    assert emotions_of("report", table, known) == REPORT_FIVE
    assert emotions_of("new-speakers", table, known) == (*REPORT_FIVE, "neutral")
    six = clips_of(table, known)
    assert len(six) == (table["emotion"] != "surprise").sum()
    assert set(six["emotion"][six["clip"].str.startswith("03-01-02")]) == {"neutral"}
    assert "calm" in set(clips_of(table, ("calm", "neutral"))["emotion"])


# The same again


def test_the_command_of_the_metrics_gives_the_same_weights(
    small_corpora: Path, trained: Trained, tmp_path: Path
) -> None:
    command = metrics_of(trained.folder)["command"].replace("CORPORA", str(small_corpora))
    program, *arguments = command.split()
    assert program == "serctl"
    assert run([*arguments, "-o", str(tmp_path / "again")]) == 0
    assert weights(tmp_path / "again") == weights(trained.folder)
    ours, theirs = metrics_of(tmp_path / "again"), metrics_of(trained.folder)
    assert ours == theirs


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"split": "report", "seed": 7},
        {"split": "emobox-ravdess", "fold": 5, "model": "cnn"},
        {"fold": 3, "n_epochs": None, "device": "auto"},
        {"device": "cuda"},
    ],
)
def test_the_command_has_every_option(changes: dict[str, Any]) -> None:
    options = few(Path("CORPORA"), Path("weights"), **changes)
    program, command, *arguments = command_line(options).split()
    assert (program, command) == ("serctl", "train")
    context: Context = train.make_context("train", [*arguments, "-o", "weights"])
    said = context.params
    said["n_epochs"] = said.pop("epochs")
    known = {field.name for field in fields(TrainingOptions)}
    # --all, and the options of own recordings, have no part in a training on the corpora.
    assert not any(said[name] for name in said.keys() - known - {"speech", "start"})
    assert TrainingOptions(**{name: said[name] for name in known}) == options


def test_another_seed_gives_other_weights(small_corpora: Path, short: Path, tmp_path: Path) -> None:
    fit(few(small_corpora, tmp_path / "same"))
    fit(few(small_corpora, tmp_path / "other", seed=1))
    assert weights(tmp_path / "same") == weights(short)
    assert weights(tmp_path / "other") != weights(short)


def test_what_is_tested_changes_nothing_that_is_learnt(
    small_corpora: Path, short: Path, tmp_path: Path
) -> None:
    changed = tmp_path / "corpora"
    shutil.copytree(small_corpora, changed)
    clips = clips_of_five(str(changed))
    noise = np.random.default_rng(0)
    for path in clips["path"].iloc[split_clips(clips, "new-speakers", 0).test]:
        soundfile.write(path, noise.normal(0, 0.2, 8000), 16000)
    scores = fit(few(changed, tmp_path / "model"))
    assert weights(tmp_path / "model") == weights(short)
    config = (tmp_path / "model" / "config.json").read_bytes()
    assert config == (short / "config.json").read_bytes()  # scaling, temperature
    assert asdict(scores)["confusion"] != metrics_of(short)["test"]["confusion"]


def test_inputs_are_scaled_to_the_training_clips(short: Path, small_corpora: Path) -> None:
    config = load_model(str(short)).config
    clips = clips_of_five(str(small_corpora))
    extract = feature_cache.ClipFeatures(
        config.inputs, config.features, feature_cache.cache_folder()
    )
    rows = split_clips(clips, "new-speakers", 0).train
    paths, spec = clips["path"].iloc[rows], config.features
    scaled = [config.inputs.normalize(extract(path), config.normalization, spec) for path in paths]
    assert np.allclose(np.mean(scaled, axis=0), 0, atol=1e-4)
    deviations, n_mels = np.std(scaled, axis=0), config.features.n_mels
    assert np.allclose(deviations[n_mels:], 1, atol=1e-3)
    # The mel bands keep the shape of their spectrum.
    assert deviations[:n_mels].mean() == pytest.approx(1, abs=1e-3)
    assert len(set(config.normalization.std[:n_mels])) == 1


# Cut off


@pytest.mark.parametrize("killed_after", [0, 1, FEW_EPOCHS])
def test_cut_off_and_resumed_it_ends_with_the_same_weights(
    small_corpora: Path, short: Path, tmp_path: Path, killed_after: int
) -> None:
    options = few(small_corpora, tmp_path)
    with pytest.raises(KilledError):
        fit(options, killed_after)
    fit(replace(options, resume=True))
    assert weights(tmp_path) == weights(short)
    assert metrics_of(tmp_path) == metrics_of(short)
    assert {path.name for path in tmp_path.iterdir()} == FILES


def test_an_unfinished_training_is_no_model(cut_off: Path) -> None:
    assert [path.name for path in cut_off.iterdir()] == ["checkpoint.pt"]
    with pytest.raises(ModelError, match=r"checkpoint\.pt"):
        load_model(str(cut_off))


def test_a_training_over_an_old_model_is_no_model_until_it_is_done(
    small_corpora: Path, short: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(short, folder)
    options = few(small_corpora, folder, seed=1, overwrite=True)
    with pytest.raises(KilledError):
        fit(options, killed_after=1)
    with pytest.raises(ModelError):
        load_model(str(folder))
    (folder / "checkpoint.pt").unlink()
    with pytest.raises(ModelError, match=r"config\.json"):
        load_model(str(folder))


def test_what_was_overwritten_is_not_gone_on_from(
    small_corpora: Path, cut_off: Path, short: Path
) -> None:
    with pytest.raises(KilledError):
        fit(few(small_corpora, cut_off, overwrite=True), killed_after=0)
    assert list(cut_off.iterdir()) == []
    calls = Calls()
    train_model(few(small_corpora, cut_off, resume=True), calls.watcher())
    assert calls.epochs == [(i, FEW_EPOCHS) for i in range(FEW_EPOCHS + 1)]
    assert weights(cut_off) == weights(short)


def test_a_full_disk_at_the_end_loses_nothing(
    small_corpora: Path, short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(folder: Path, *_: object) -> None:
        (folder / "config.json").write_text("")
        raise OSError(errno.ENOSPC, "No space left on device")

    options = few(small_corpora, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(weights_folder, "save_model", fill)
        with pytest.raises(ModelError, match=r"No space left on device\. Make room; then --resume"):
            fit(options)
    with pytest.raises(ModelError):
        load_model(str(tmp_path))
    calls = Calls()
    train_model(replace(options, resume=True), calls.watcher())
    assert calls.epochs == [(FEW_EPOCHS, FEW_EPOCHS)]
    assert weights(tmp_path) == weights(short)
    assert {path.name for path in tmp_path.iterdir()} == FILES


# Refusals


def test_a_model_is_not_replaced_unasked(small_corpora: Path, short: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(short, folder)
    for resume in (False, True):
        options = few(small_corpora, folder, seed=1, resume=resume)
        with pytest.raises(UsageError, match=r"model: contains a model\. .*--overwrite"):
            fit(options)
    assert weights(folder) == weights(short)
    fit(few(small_corpora, folder, seed=1, overwrite=True))
    assert weights(folder) != weights(short)
    assert metrics_of(folder)["seed"] == 1


def test_a_cut_off_training_is_not_thrown_away_unasked(
    small_corpora: Path, cut_off: Path, short: Path
) -> None:
    before = (cut_off / "checkpoint.pt").read_bytes()
    with pytest.raises(UsageError, match=r"checkpoint\.pt: .* --resume continues it"):
        fit(few(small_corpora, cut_off))
    assert (cut_off / "checkpoint.pt").read_bytes() == before
    fit(few(small_corpora, cut_off, overwrite=True))
    assert weights(cut_off) == weights(short)


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"seed": 1}, "seed 0; this one has 1"),
        ({"fold": 2}, "fold 0; this one has 2"),
        ({"split": "report"}, "split new-speakers; this one has report"),
        ({"n_epochs": 9}, r"training\.n_epochs 3; this one has 9"),
    ],
)
def test_a_training_of_other_options_is_not_resumed(
    small_corpora: Path, cut_off: Path, changes: dict[str, Any], difference: str
) -> None:
    before = (cut_off / "checkpoint.pt").read_bytes()
    with pytest.raises(RunError, match=rf"belongs to a training with {difference}\."):
        fit(few(small_corpora, cut_off, resume=True, **changes))
    assert (cut_off / "checkpoint.pt").read_bytes() == before


def test_weights_do_not_depend_on_the_threads_that_torch_had(
    small_corpora: Path, short: Path, tmp_path: Path
) -> None:
    torch.set_num_threads(2)
    try:
        fit(few(small_corpora, tmp_path))
    finally:
        torch.set_num_threads(1)
    assert weights(tmp_path) == weights(short)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"corpora": "nowhere"}, CorporaError),
        ({"model": "unknown"}, UsageError),
        ({"split": "unknown"}, UsageError),
        ({"fold": 5}, UsageError),
    ],
)
def test_what_cannot_be_done_touches_nothing(
    small_corpora: Path, short: Path, tmp_path: Path, changes: dict[str, Any], error: type
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(short, folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(error):
        fit(replace(few(small_corpora, folder, overwrite=True), **changes))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    with pytest.raises(error):
        fit(replace(few(small_corpora, tmp_path / "new"), **changes))
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_made_is_named(small_corpora: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ResultsError, match=r"file/model: the folder cannot be made \(Not a dir"):
        fit(few(small_corpora, tmp_path / "file" / "model"))


def test_a_clip_that_cannot_be_read_stops_it_by_name(
    small_corpora: Path, short: Path, tmp_path: Path
) -> None:
    corpora, folder = tmp_path / "corpora", tmp_path / "model"
    shutil.copytree(small_corpora, corpora)
    shutil.copytree(short, folder)
    path = clips_of_five(str(corpora))["path"].iloc[50]
    Path(path).write_bytes(b"not audio")
    with pytest.raises(AudioError, match="Not audio, or damaged") as error:
        fit(few(corpora, folder, overwrite=True))
    assert str(error.value).startswith(path)
    load_model(str(folder))
