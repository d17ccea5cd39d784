import json

import make_golden
import numpy as np
import pytest
import torch
from torch import nn

from serctl.emotions import EMOTIONS
from serctl.networks import NETWORKS
from serctl.networks.paper_cnn import PaperCNN


def shapes_of_layers(network, inputs):
    """Kind and output shape of every layer, in the order in which they run."""
    found = []

    def note(layer, _, output):
        found.append((type(layer).__name__, tuple(output.shape[1:])))

    hooks = [
        layer.register_forward_hook(note)
        for layer in network.modules()
        if not isinstance(layer, nn.Sequential) and layer is not network
    ]
    network(inputs)
    for hook in hooks:
        hook.remove()
    return found


def test_paper_cnn_has_the_reports_layers():
    # Lengths by hand: (128 - 5) // 3 + 1 = 42; (42 - 4) // 2 + 1 = 20; (20 + 2 - 4) // 2 + 1 = 10.
    assert shapes_of_layers(PaperCNN(5), torch.zeros(2, 148)) == [
        ("Conv1d", (10, 42)),
        ("ReLU", (10, 42)),
        ("MaxPool1d", (10, 20)),
        ("Conv1d", (10, 10)),
        ("ReLU", (10, 10)),
        ("Conv1d", (10, 10)),
        ("ReLU", (10, 10)),
        ("Linear", (700,)),
        ("ReLU", (700,)),
        ("Linear", (150,)),
        ("ReLU", (150,)),
        ("Linear", (50,)),
        ("ReLU", (50,)),
        ("Linear", (5,)),
    ]


def test_paper_cnn_has_the_reports_parameters():
    shapes = {name: tuple(p.shape) for name, p in PaperCNN(5).named_parameters()}
    assert shapes == {
        "mel_branch.0.weight": (10, 1, 5),
        "mel_branch.0.bias": (10,),
        "mel_branch.3.weight": (10, 10, 4),
        "mel_branch.3.bias": (10,),
        "mfcc_branch.0.weight": (10, 1, 4),
        "mfcc_branch.0.bias": (10,),
        "dense.0.weight": (700, 200),
        "dense.0.bias": (700,),
        "dense.2.weight": (150, 700),
        "dense.2.bias": (150,),
        "dense.4.weight": (50, 150),
        "dense.4.bias": (50,),
        "dense.6.weight": (5, 50),
        "dense.6.bias": (5,),
    }
    convolutions = (50 + 10) + (400 + 10) + (40 + 10)
    dense = (140_000 + 700) + (105_000 + 150) + (7_500 + 50) + (250 + 5)
    assert sum(p.numel() for p in PaperCNN(5).parameters()) == convolutions + dense == 254_175


def test_mel_and_mfcc_go_to_their_own_branch():
    network = PaperCNN(5).eval()
    seen = {}
    network.mel_branch.register_forward_pre_hook(lambda _, inputs: seen.update(mel=inputs[0]))
    network.mfcc_branch.register_forward_pre_hook(lambda _, inputs: seen.update(mfcc=inputs[0]))
    statistics = torch.arange(2 * 148, dtype=torch.float32).reshape(2, 148)
    network(statistics)
    torch.testing.assert_close(seen["mel"], statistics[:, None, :128])
    torch.testing.assert_close(seen["mfcc"], statistics[:, None, 128:])


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_logits_are_the_stored_ones(name):
    stored = json.loads(make_golden.path_of(name).read_text())["logits"]
    np.testing.assert_allclose(make_golden.logits(name), stored, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", sorted(NETWORKS))
@pytest.mark.parametrize("n_emotions", [2, len(EMOTIONS)])
def test_there_are_as_many_logits_as_emotions(name, n_emotions):
    inputs = torch.zeros(4, *make_golden.INPUT_SHAPES[name])
    assert NETWORKS[name](n_emotions)(inputs).shape == (4, n_emotions)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_clips_of_a_batch_do_not_touch_each_other(name):
    torch.manual_seed(0)
    network = NETWORKS[name](5).eval()
    inputs = torch.randn(6, *make_golden.INPUT_SHAPES[name])
    together = network(inputs)
    alone = torch.cat([network(clip[None]) for clip in inputs])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)
    assert (together.std(dim=0) > 1e-3).any()
