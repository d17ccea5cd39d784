import pytest
import torch

from serctl.errors import UsageError
from serctl.models import devices
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


def test_a_driver_is_looked_for():
    assert devices._has_gpu() or not torch.cuda.is_available()
