"""In what precision a training computes: bfloat16 where the processor has it, float32 elsewhere.

A processor without products of bfloat16 gets them from PyTorch all the same, emulated: three times
as slow as float32 for convolutions, and twenty for Muon's products. What recipes ask for is the
arithmetic where it is fast, and a model says in which it was trained.
"""

import os
import platform
from typing import Literal

import torch

Precision = Literal["float32", "bfloat16"]

# What oneDNN, which computes products for PyTorch, may be kept from using: ISAs before bfloat16.
WITHOUT_BFLOAT16 = (
    "sse41",
    "avx",
    "avx2",
    "avx2_vnni",
    "avx2_vnni_2",
    "avx512_core",
    "avx512_core_vnni",
)


def precision_on(device: torch.device, wanted: Precision) -> Precision:
    """Precision that a training has: the recipe's, but float32 where bfloat16 is emulated.

    Parameters
    ----------
    device : torch.device
        Where it is trained.
    wanted : str
        What the recipe asks for.
    """
    return wanted if wanted == "float32" or has_bfloat16(device) else "float32"


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies in bfloat16 natively.

    On x86 that takes AVX-512 BF16 or AMX, and that PyTorch may use them: ``ONEDNN_MAX_CPU_ISA=AVX2
    ATEN_CPU_CAPABILITY=avx2`` makes any processor one that does not.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    # On x86 this is true of any AVX-512, and of AVX2 with conversions to bfloat16 alone.
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return False
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return True
    most = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA") or ""
    has_it = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return has_it and most.lower() not in WITHOUT_BFLOAT16
