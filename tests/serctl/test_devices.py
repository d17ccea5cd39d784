import pytest
import torch

from serctl.devices import choose_device, one_thread
from serctl.errors import UsageError


def test_devices(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto") == choose_device("cpu") == torch.device("cpu")
    for name in ("cuda", "mps", "tpu"):
        with pytest.raises(UsageError, match=f"device {name}: not to be had .* which has cpu"):
            choose_device(name)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto") == torch.device("mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == torch.device("cuda")


def test_one_thread_is_set_only_where_there_are_more(monkeypatch):
    set_number, calls = torch.set_num_threads, []
    n_threads = torch.get_num_threads()
    monkeypatch.setattr(
        torch, "set_num_threads", lambda number: (calls.append(number), set_number(number))
    )
    try:
        torch.set_num_threads(3)
        with one_thread():
            with one_thread():
                assert torch.get_num_threads() == 1
            assert torch.get_num_threads() == 1
        assert (torch.get_num_threads(), calls) == (3, [3, 1, 3])
    finally:
        set_number(n_threads)
