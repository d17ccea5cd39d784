import pandas as pd
import torch
from torch import nn

from serctl.networks.cnn import Cnn
from serctl.train.heads import WithHeads, auxiliary_labels, n_classes_of


def test_names_say_who_speaks() -> None:
    clips = pd.DataFrame({"speaker": ["crema1002", "tessOAF", "crema1001", "crema1002"]})
    labels = auxiliary_labels(clips)
    assert labels["speaker"].tolist() == [1, 2, 0, 1]
    assert n_classes_of(labels) == {"speaker": 3}


def test_heads_hear_the_embedding_and_change_no_answer() -> None:
    torch.manual_seed(0)
    network = Cnn(6).eval()
    learner = WithHeads(network, {"speaker": 5}).eval()
    frames = torch.randn(2, 64, 48)
    logits, said = learner(frames)
    assert torch.equal(logits, network(frames))
    assert said["speaker"].shape == (2, 5)


def test_a_network_without_heads_needs_no_embedding() -> None:
    network = nn.Linear(4, 3)
    logits, said = WithHeads(network, {})(torch.ones(1, 4))
    assert torch.equal(logits, network(torch.ones(1, 4)))
    assert said == {}
