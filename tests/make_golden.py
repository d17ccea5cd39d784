"""Rewrite the stored references in tests/golden: what networks give for fixed weights and inputs.

::

    python -P tests/make_golden.py
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

from serctl.models.networks import NETWORKS

FOLDER = Path(__file__).parent / "golden"
N_CLIPS = 3
N_EMOTIONS = 5
INPUT_SHAPES = {
    "paper-cnn": (148,),
    "paper-svm": (148,),
    "paper-rnn": (50, 148),
    "cnn": (64, 48),
    "whisper": (80, 48),
    "whisper-labels": (80, 48),
}


def drawn_network(name: str, rng: np.random.Generator) -> nn.Module:
    """Network of `N_EMOTIONS` with pseudo-random weights, for inference."""
    network = NETWORKS[name].torch_module(N_EMOTIONS).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            # About as large as torch's own, so that no layer fades or explodes.
            scale = np.prod(parameter.shape[1:]) ** -0.5
            numbers = scale * rng.standard_normal(parameter.shape)
            parameter.copy_(torch.from_numpy(numbers))
    return network


def logits(name: str) -> list[list[float]]:
    """Logits [N_CLIPS, N_EMOTIONS] of a network, with pseudo-random weights and inputs.

    NumPy draws both, since its generators give the same numbers in every version.
    """
    rng = np.random.default_rng(0)
    network = drawn_network(name, rng)
    with torch.no_grad():
        inputs = rng.standard_normal((N_CLIPS, *INPUT_SHAPES[name])).astype(np.float32)
        found: list[list[float]] = network(torch.from_numpy(inputs)).double().tolist()
    return found


def path_of(name: str) -> Path:
    """Where the reference of a network is stored."""
    return FOLDER / f"{name}.json"


def main() -> None:
    """Write the references anew."""
    FOLDER.mkdir(exist_ok=True)
    for name in NETWORKS:
        rows = [[round(logit, 6) for logit in row] for row in logits(name)]
        path_of(name).write_text(json.dumps({"logits": rows}, indent=1) + "\n")
        print(path_of(name))


if __name__ == "__main__":
    main()
