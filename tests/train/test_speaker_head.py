import torch

from serctl.networks.cnn import CnnMember
from serctl.train.speaker_head import WithSpeakerHead


def test_the_head_hears_the_embedding_and_changes_no_answer() -> None:
    torch.manual_seed(0)
    network = CnnMember(6).eval()
    learner = WithSpeakerHead(network, 5).eval()
    frames = torch.randn(2, 64, 48)
    logits, named = learner(frames)
    assert torch.equal(logits, network(frames))
    assert torch.equal(named, learner.head(network.embedding(frames)))
    assert named.shape == (2, 5)
