"""Precision of a training: bfloat16 where the processor computes it natively, float32 elsewhere.

On other processors PyTorch emulates bfloat16, which takes three times as long as float32 for
convolutions, and twenty times as long for Muon's matrix products. The recipe names the precision to
use where it is fast; ``metrics.json`` and the card name the one that was used.
"""

import os
import platform

import torch

from serctl.train.recipes.schema import Precision

# Values of ONEDNN_MAX_CPU_ISA, which limits oneDNN (PyTorch's matrix products): ISAs without bfloat16.
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
    """Precision of a training: the recipe's, but float32 where bfloat16 is emulated.

    Parameters
    ----------
    device : torch.device
        Device of the training.
    wanted : str
        Precision of the recipe, ``float32`` or ``bfloat16``.
    """
    return wanted if wanted == "float32" or has_bfloat16(device) else "float32"


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies in bfloat16 natively.

    On x86 that needs AVX-512 BF16 or AMX, and PyTorch must be allowed to use them:
    ``ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2`` makes any x86 processor one without bfloat16.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    # On x86 this is true of any AVX-512, and of AVX2 that only converts to bfloat16.
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return False
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return True
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA") or ""
    is_native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return is_native and limit.lower() not in WITHOUT_BFLOAT16
