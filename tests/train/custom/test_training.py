import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.own_recordings import noise, write_folders, write_tone

from serctl.errors import LabelsError, UsageError
from serctl.models.classifier import Classifier
from serctl.models.loading import load_model
from serctl.train.custom.embeddings import embed_recordings
from serctl.train.custom.recordings import DataOptions
from serctl.train.custom.start import Start
from serctl.train.custom.training import CustomOptions, train_custom
from serctl.train.evaluation.labels import Labelled

PATTERN = r"(?P<speaker>[a-z])_\w+\.wav"


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERCTL_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_folders(tmp_path / "data")


def train(data: Path, output: Path, start: str = "cnn", *pairs: str, **options: object):
    of_data = DataOptions(str(data), pairs=pairs, speaker_pattern=PATTERN)
    return train_custom(
        CustomOptions(of_data, output, start, speech="off", **options), lambda found, n: iter(found)
    )


@pytest.mark.parametrize("start", ["cnn", "whisper"])
def test_it_learns_labels_that_are_no_emotions(data: Path, tmp_path: Path, start: str) -> None:
    outcome = train(data, tmp_path / "mine", start)
    assert str(outcome.folds) == "3 folds, one speaker each"
    assert outcome.scores.n_clips == 18
    assert outcome.scores.ua > 0.8
    assert outcome.before is None
    model = load_model(tmp_path / "mine")
    assert model.config.emotions == ("high", "low")
    network = "whisper-labels" if start == "whisper" else start
    assert (model.config.name, model.config.network) == ("mine", network)
    classifier = Classifier(tmp_path / "mine", device="cpu")
    for label in ("low", "high"):
        result = classifier.classify(data / label / "b_two.wav")
        assert result.status in ("ok", "no_speech")


def test_a_model_that_knows_the_labels_is_scored_beside_it(data: Path, tmp_path: Path) -> None:
    outcome = train(data, tmp_path / "mine", "cnn", "low=sad", "high=angry")
    assert outcome.before is not None
    assert outcome.before.n_clips == outcome.scores.n_clips == 18
    card = (tmp_path / "mine" / "card.md").read_text()
    assert f"has UA {outcome.before.ua:.1%} on them" in card.replace("\n", " ")


def test_what_cannot_be_read_is_named_and_the_rest_goes_on(data: Path, tmp_path: Path) -> None:
    bad = noise(data / "low" / "z_bad.wav")
    outcome = train(data, tmp_path / "mine")
    ((path, reason),) = outcome.skipped
    assert path == str(bad)
    assert reason
    assert outcome.scores.n_clips == 18
    assert "z\\_bad.wav" in (tmp_path / "mine" / "card.md").read_text()


def test_if_too_few_can_be_read_nothing_is_written(tmp_path: Path) -> None:
    data = write_folders(tmp_path / "data", labels=("low",))
    for i in range(6):
        noise(data / "high" / f"a_{'uvwxyz'[i]}.wav", seed=i)
    with pytest.raises(LabelsError, match="labels found: low"):
        train(data, tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_what_is_there_is_replaced_only_if_asked_for(data: Path, tmp_path: Path) -> None:
    train(data, tmp_path / "mine")
    with pytest.raises(UsageError, match=r"mine: contains a model"):
        train(data, tmp_path / "mine")
    before = (tmp_path / "mine" / "model.safetensors").read_bytes()
    train(data, tmp_path / "mine", overwrite=True)
    assert (tmp_path / "mine" / "model.safetensors").read_bytes() == before


def test_embeddings_are_computed_once(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(data, tmp_path / "mine")

    def refuse(*_: object) -> None:
        raise AssertionError

    target = "serctl.train.custom.embeddings.read_windows_with_speech"
    monkeypatch.setattr(target, refuse)
    train(data, tmp_path / "again")


def test_a_long_recording_is_the_mean_of_its_windows(tmp_path: Path) -> None:
    tone, rate_hz = soundfile.read(write_tone(tmp_path / "a.wav", 0, "a", 0))
    for name, n in (("long", 30), ("window", 10)):  # 12 s, and the 4 s of each of its windows
        soundfile.write(tmp_path / f"{name}.wav", np.tile(tone, n), rate_hz)
    recordings = [Labelled(str(tmp_path / f"{k}.wav"), "x", k * 9) for k in ("long", "window")]
    long, window = embed_recordings(recordings, Start("cnn"), "off", lambda found, n: iter(found))
    assert long.embedding is not None
    assert window.embedding is not None
    np.testing.assert_allclose(long.embedding, window.embedding, atol=1e-4)


def test_metrics_have_what_the_card_says(data: Path, tmp_path: Path) -> None:
    outcome = train(data, tmp_path / "mine")
    metrics = json.loads((tmp_path / "mine" / "metrics.json").read_text())
    assert metrics["labels"] == {"high": 9, "low": 9}
    assert metrics["speakers"] == {"a": 6, "b": 6, "c": 6}
    assert metrics["start"] == "cnn"
    assert metrics["cross_validation"]["ua"] == outcome.scores.ua
    card = " ".join((tmp_path / "mine" / "card.md").read_text().split())
    assert "18 recordings of 2 labels by 3 speakers (from --speaker-pattern)" in card
    assert "By cross-validation, 3 folds, one speaker each." in card
    for warning in outcome.warnings:
        assert warning in card
    assert any("Only 3 speakers" in one for one in outcome.warnings)


def test_it_cannot_use_a_voices_other_recordings(data: Path, tmp_path: Path) -> None:
    train(data, tmp_path / "mine", "whisper")
    classifier = Classifier(tmp_path / "mine", device="cpu")
    with pytest.raises(UsageError, match="the model mine cannot classify a recording beside"):
        classifier.classify_many(["a.wav", "b.wav"], voices=["a", "a"])


def test_an_own_model_can_be_started_from(data: Path, tmp_path: Path) -> None:
    train(data, tmp_path / "mine")
    outcome = train(data, tmp_path / "again", str(tmp_path / "mine"))
    assert outcome.before is not None


def test_a_model_of_another_network_cannot(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--start paper-cnn: its network is paper-cnn, and one of"):
        train(data, tmp_path / "mine", "paper-cnn")
