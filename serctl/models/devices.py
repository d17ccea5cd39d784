"""Devices that run the network: CPU or GPU."""

import ctypes
import os
import platform
import sys
from contextlib import suppress

from serctl.errors import UsageError


def choose_device(name: str) -> str:
    """Choose a device.

    Parameters
    ----------
    name : str
        ``auto`` (a GPU if available), ``cpu``, ``cuda`` or ``mps``.

    Returns
    -------
    str
        ``cpu``, ``cuda`` or ``mps``.

    Raises
    ------
    UsageError
        If this machine does not have the device.
    """
    if name == "cpu" or (name == "auto" and not _has_gpu()):
        return "cpu"  # without importing torch, which takes a second
    import torch

    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        name = next(device for device, is_there in available.items() if is_there)
    if not available.get(name):
        there = ", ".join(device for device, is_there in available.items() if is_there)
        raise UsageError(f"device {name}: not available on this machine. Available: {there}.")
    return name


def _has_gpu() -> bool:
    """Whether there is a GPU driver that torch may support: Apple's, Nvidia's or AMD's."""
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    with suppress(OSError):
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        return True
    return os.path.exists("/dev/kfd")
