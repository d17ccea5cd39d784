import numpy as np
import pytest
import torch

from serctl.errors import UsageError
from serctl.models import devices
from serctl.models.classifier import Classifier
from serctl.models.devices import choose_device


def test_devices(monkeypatch):
    monkeypatch.setattr(devices, "_has_gpu", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto") == choose_device("cpu") == "cpu"
    for name in ("cuda", "mps", "tpu"):
        with pytest.raises(UsageError, match=f"device {name}: not available .* Available: cpu"):
            choose_device(name)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto") == choose_device("mps") == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == choose_device("cuda") == "cuda"


def test_without_a_driver_torch_is_not_asked(monkeypatch):
    monkeypatch.setattr(devices, "_has_gpu", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: pytest.fail("asked"))
    assert choose_device("auto") == "cpu"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that torch can use")
def test_a_gpu_is_found_and_gives_the_probabilities_of_the_cpu(frames_folder, write_recording):
    assert choose_device("auto") == choose_device("cuda") == "cuda"
    path = write_recording("a.flac", "speech", 13.1, 16000)
    expected = Classifier(str(frames_folder), device="cpu").classify(path)
    for batch_size in (1, 3, 64):
        result = Classifier(str(frames_folder), device="cuda", batch_size=batch_size).classify(path)
        assert (result.status, result.windows) == (expected.status, expected.windows)
        np.testing.assert_allclose(result.probabilities, expected.probabilities, atol=1e-3)
