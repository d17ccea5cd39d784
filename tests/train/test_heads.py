import pandas as pd
import pytest
import torch
from torch import nn

from serctl.networks.cnn import Cnn
from serctl.train.clip_names import sentence_of
from serctl.train.corpora import manifest
from serctl.train.heads import (
    UNKNOWN,
    WithHeads,
    auxiliary_labels,
    auxiliary_loss,
    n_classes_of,
)

CLIPS = pd.DataFrame(
    [
        ("crema-d", "1001_DFA_ANG_XX", "crema1001"),
        ("crema-d", "1002_DFA_SAD_XX", "crema1002"),
        ("ravdess", "03-01-05-01-02-01-07", "ravdess07"),
        ("savee", "DC_a01", "saveeDC"),
        ("tess", "OAF_bite_ps", "tessOAF"),
    ],
    columns=["corpus", "clip", "speaker"],
)


def test_names_say_who_speaks_and_what() -> None:
    labels = auxiliary_labels(CLIPS)
    assert labels["speaker"].tolist() == [0, 1, 2, 3, 4]
    assert labels["sentence"].tolist() == [0, 0, 1, UNKNOWN, 2]
    assert n_classes_of(labels) == {"speaker": 5, "sentence": 3}


def test_the_corpora_have_as_many_sentences_as_they_say() -> None:
    table = manifest()
    said = [sentence_of(*pair) for pair in zip(table["corpus"], table["clip"], strict=True)]
    n_sentences = table.assign(said=said).groupby("corpus")["said"].nunique()
    assert n_sentences.to_dict() == {"crema-d": 12, "ravdess": 2, "savee": 0, "tess": 200}


def test_heads_hear_the_embedding_and_change_no_answer() -> None:
    torch.manual_seed(0)
    network = Cnn(6).eval()
    learner = WithHeads(network, {"speaker": 5, "sentence": 3}).eval()
    frames = torch.randn(2, 64, 48)
    logits, said = learner(frames)
    assert torch.equal(logits, network(frames))
    assert {name: tuple(one.shape) for name, one in said.items()} == {
        "speaker": (2, 5),
        "sentence": (2, 3),
    }


def test_a_network_without_heads_needs_no_embedding() -> None:
    network = nn.Linear(4, 3)
    logits, said = WithHeads(network, {})(torch.ones(1, 4))
    assert torch.equal(logits, network(torch.ones(1, 4)))
    assert said == {}


def test_unknown_labels_do_not_count() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 5.0]])
    expected = nn.functional.cross_entropy(logits[:1], torch.tensor([1]))
    assert auxiliary_loss(logits, torch.tensor([1, UNKNOWN])) == pytest.approx(float(expected))
    assert float(auxiliary_loss(logits, torch.tensor([UNKNOWN, UNKNOWN]))) == 0


def test_nobody_knows_what_is_said_in_savee() -> None:
    labels = auxiliary_labels(CLIPS[CLIPS["corpus"] == "savee"])
    assert labels["sentence"].tolist() == [UNKNOWN]
    assert n_classes_of(labels)["sentence"] == 1
