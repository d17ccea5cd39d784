import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from serctl.train.training import precision
from serctl.train.training.precision import precision_on

CPU = torch.device("cpu")
LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY")
ASK = """
import torch
from serctl.train.training.precision import has_bfloat16
print(str(has_bfloat16(torch.device("cpu"))).lower())
"""


def has_bfloat16(**limits: str) -> bool:
    """Whether this processor has bfloat16, in a process with these variables."""
    environment = {name: value for name, value in os.environ.items() if name not in LIMITS}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=environment | limits, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found: bool = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    "limits",
    [
        {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"},
        {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},
    ],
    ids=lambda limits: limits["ONEDNN_MAX_CPU_ISA"],
)
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the variables are for x86")
def test_processors_without_bfloat16_are_known(limits: dict[str, str]) -> None:
    assert not has_bfloat16(**limits)


@pytest.mark.skipif(
    platform.machine() != "x86_64" or not Path("/proc/cpuinfo").exists(),
    reason="Linux says what an x86 processor has",
)
def test_it_is_what_the_system_says_of_the_processor() -> None:
    flags = set(Path("/proc/cpuinfo").read_text().split())
    assert has_bfloat16() == bool(flags & {"avx512_bf16", "amx_bf16"})


def test_a_recipes_bfloat16_is_float32_where_it_is_emulated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for native, found in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(precision, "has_bfloat16", lambda device, native=native: native)
        assert precision_on(CPU, "bfloat16") == found
        assert precision_on(CPU, "float32") == "float32"
