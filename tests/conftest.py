"""What the tests share: synthetic recordings, a tiny model, and fold 0 where there is one.

Nothing heavy is imported here; tests of the scan or of results need no torch.
"""

import os
import subprocess
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:
    # A core for each process that tests: threads of a library would spin while they wait for one.
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np
import pytest
import soundfile

import serctl  # noqa: F401 - before a test imports ONNX Runtime: switches off its telemetry
from serctl.system import CAN_FORK


def pytest_collection_modifyitems(items):
    """Put slow modules last; first, if processes share them, so that all have work until the end."""
    is_shared = "PYTEST_XDIST_WORKER" in os.environ
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None, reverse=is_shared)


VOWELS_HZ = ((700, 1200, 2500), (300, 2300, 3000), (500, 900, 2400), (400, 2000, 2600))
SIGNALS = ("noise", "tone", "chirp", "speech", "click", "silence")


def signal(kind, n_frames, rate_hz, n_channels=1, seed=0):
    """Synthetic recording, float64 [n_frames, n_channels], one of `SIGNALS`, within [-1, 1]."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(n_frames) / rate_hz
    duration_s = n_frames / rate_hz
    if kind == "noise":
        mono = 0.2 * rng.standard_normal(n_frames).clip(-4, 4)
    elif kind == "tone":
        mono = 0.5 * np.sin(2 * np.pi * 440 * time_s)
    elif kind == "chirp":  # from 20 Hz to just below what the file can hold
        slope = (0.49 * rate_hz - 20) / duration_s
        mono = 0.5 * np.sin(2 * np.pi * (20 * time_s + slope / 2 * time_s**2))
    elif kind == "speech":
        mono = 0.3 * _vowels(time_s, rate_hz) + 1e-4 * rng.standard_normal(n_frames)
    else:
        mono = np.zeros(n_frames)
        if kind == "click":
            mono[n_frames // 2] = 0.9
    # Every channel is another, so that a mix that forgets one is found out.
    return np.stack([mono * 0.6**i for i in range(n_channels)], axis=1)


def _vowels(time_s, rate_hz):
    """Vowels of a wavering voice, four and a half a second, which a speech detector finds."""
    f0_hz = 120 * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * time_s) + 0.02 * np.sin(10 * np.pi * time_s))
    phase = 2 * np.pi * np.cumsum(f0_hz) / rate_hz
    place = time_s / 0.22
    voice = np.zeros(len(time_s))
    for i, formants_hz in enumerate(VOWELS_HZ):
        spoken = place.astype(int) % len(VOWELS_HZ) == i
        for k in range(1, 40):
            hz = 120 * k
            if hz < 0.4 * rate_hz:
                gain = sum(1 / (1 + ((hz - formant_hz) / 90) ** 2) for formant_hz in formants_hz)
                voice[spoken] += gain * np.sin(k * phase[spoken])
    return voice / 3 * np.sin(np.pi * (place % 1)) ** 0.7


@pytest.fixture(scope="session", autouse=True)
def warm_workers():
    """Fork the workers of commands that are run in this process, rather than start each anew."""
    if not CAN_FORK:
        yield
        return
    from support import warm_workers

    with pytest.MonkeyPatch.context() as patch:
        nursery = warm_workers.install(patch)
        yield
        nursery.close()


@pytest.fixture
def new_workers(monkeypatch):
    """Start each worker anew, as `serctl` does."""
    from serctl.engine.workers import child

    monkeypatch.setattr(child, "subprocess", subprocess)


@pytest.fixture(params=[8000, 16000, 22050, 24414, 44100, 48000, 96000], ids="{}Hz".format)
def rate_hz(request):
    """Sample rates of the files."""
    return request.param


@pytest.fixture(params=[1, 2], ids=["mono", "stereo"])
def n_channels(request):
    """Channels of the files."""
    return request.param


@pytest.fixture(scope="session")
def make_signal():
    """Give the function `signal`."""
    return signal


@pytest.fixture
def write_recording(tmp_path):
    """Give a function that writes samples, or a kind of signal, and returns the path as text."""

    def write(name, samples="speech", duration_s=1.0, rate_hz=16000, n_channels=1, subtype=None):
        if isinstance(samples, str):
            samples = signal(samples, round(duration_s * rate_hz), rate_hz, n_channels)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples, rate_hz, subtype=subtype)
        return str(path)

    return write


@pytest.fixture
def buckets(tmp_path, monkeypatch):
    """Folder whose folders are the buckets of an object store, in this process."""
    from support import buckets as stores

    from serctl.files import downloads, objects

    folder = tmp_path / "buckets"
    folder.mkdir()
    monkeypatch.setenv(stores.VARIABLE, str(folder))
    monkeypatch.setattr(objects, "file_system", stores.file_system)
    monkeypatch.setattr(downloads, "file_system", stores.file_system)
    monkeypatch.setattr(objects, "_known", {})
    return folder


@pytest.fixture(scope="session")
def clips_folder(tmp_path_factory):
    """Synthetic clips that pass for complete corpora; tests leave it as it is."""
    from support import shared_corpora

    return shared_corpora.synthetic_clips(tmp_path_factory)


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """Cache of the features of those clips."""
    from support import shared_corpora

    return shared_corpora.feature_cache(tmp_path_factory)


@pytest.fixture(scope="session")
def fold0():
    """Folder of the 2258 test clips of speaker fold 0, as SERCTL_FOLD0 says."""
    folder = os.environ.get("SERCTL_FOLD0")
    if not folder:
        pytest.skip("SERCTL_FOLD0 does not say where the clips of speaker fold 0 are")
    if not os.path.isdir(folder):
        pytest.fail(f"SERCTL_FOLD0 is {folder}, which is no folder")
    return Path(folder)


@pytest.fixture(scope="session")
def recordings():
    """Folder of the dozen recordings that come with the tests."""
    return Path(__file__).parent / "recordings"


@pytest.fixture(scope="session")
def tiny_config():
    """Configuration of a model that nobody trained."""
    from serctl.emotions import REPORT_FIVE
    from serctl.features.mel import MelSpec
    from serctl.models.config import ModelConfig
    from serctl.models.inputs import Normalization

    spec = MelSpec()
    normalization = Normalization(
        mean=(-30.0,) * spec.n_mels + (-300.0,) + (0.0,) * (spec.n_mfcc - 1),
        std=(15.0,) * spec.n_mels + (100.0,) + (30.0,) * (spec.n_mfcc - 1),
    )
    return ModelConfig("tiny", "paper-cnn", REPORT_FIVE, spec, normalization, 1.5, 30.0, 0.25)


def save_untrained(folder, config):
    """Write a weights folder of a network that nobody trained, and which hears differences."""
    import torch

    from serctl.models.loading import Model, save_model
    from serctl.models.networks import NETWORKS

    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = NETWORKS[config.network].torch_module(len(config.emotions))
        with torch.no_grad():
            for parameter in network.parameters():
                if parameter.ndim > 1:
                    parameter.mul_(3)  # so that other sounds get another emotion, and clearly
    save_model(folder, Model.from_network(config, network))
    return folder


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory, tiny_config):
    """Weights folder of the tiny model; tests leave it as it is."""
    return save_untrained(tmp_path_factory.mktemp("tiny"), tiny_config)


@pytest.fixture(scope="session", params=["cnn", "paper-rnn"])
def frames_folder(request, tmp_path_factory):
    """Weights folders of models that nobody trained and that hear frames, in windows of 2 s."""
    from serctl.emotions import EMOTIONS
    from serctl.features.mel import MelSpec
    from serctl.models.config import ModelConfig
    from serctl.models.inputs import Normalization
    from serctl.models.networks import NETWORKS

    spec = MelSpec(16000, 512, 160, 64, 20, 70.0) if request.param == "cnn" else MelSpec()
    n_columns = NETWORKS[request.param].inputs.n_columns(spec)
    normalization = Normalization((-30.0,) * n_columns, (20.0,) * n_columns)
    config = ModelConfig("framed", request.param, EMOTIONS[:6], spec, normalization, 1.5, 2.0, 0.25)
    return save_untrained(tmp_path_factory.mktemp("framed"), config)


@pytest.fixture(scope="session")
def classifier(tiny_folder):
    """Classifier of the tiny model, on the CPU."""
    from support.windowing import ONE_BY_ONE

    from serctl.models.classifier import Classifier

    return Classifier(str(tiny_folder), device="cpu", windowing=ONE_BY_ONE)
