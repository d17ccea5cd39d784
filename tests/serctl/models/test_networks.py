import gc
import json
import weakref

import make_golden
import numpy as np
import pytest
import torch
from torch import nn

from serctl.emotions import EMOTIONS
from serctl.models.inference import graph_session
from serctl.models.inputs import CLIP_STATISTICS, FRAMES, FRAMES_MULTIPLE, LOG_MEL, WHISPER_LOG_MEL
from serctl.models.networks import NETWORKS
from serctl.models.networks.builder import INPUT, GraphBuilder
from serctl.models.networks.linear_torch import Linear
from serctl.models.networks.paper_cnn_torch import PaperCNN
from serctl.models.networks.paper_rnn_torch import PaperRNN

HEAR_FRAMES = sorted(n for n, network in NETWORKS.items() if network.inputs in (FRAMES, LOG_MEL))


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


def test_paper_svm_is_one_margin_an_emotion():
    network = Linear(5)
    shapes = {name: tuple(p.shape) for name, p in network.named_parameters()}
    assert shapes == {"margins.weight": (5, 148), "margins.bias": (5,)}
    clip = torch.randn(1, 148)
    by_hand = network.margins.weight @ clip[0] + network.margins.bias
    torch.testing.assert_close(network(clip)[0], by_hand)


def test_paper_rnn_has_two_branches_of_two_layers():
    network = PaperRNN(5)
    for branch, n_inputs in ((network.mel_branch, 128), (network.mfcc_branch, 20)):
        assert (branch.num_layers, branch.input_size, branch.hidden_size) == (2, n_inputs, 64)
        assert not branch.bidirectional
    recurrent = sum(3 * 64 * (n_inputs + 64) + 6 * 64 for n_inputs in (128, 64, 20, 64))
    dense = (128 * 64 + 64) + (64 * 5 + 5)
    assert sum(p.numel() for p in network.parameters()) == recurrent + dense


def test_paper_rnn_hears_four_frames_at_a_time_and_averages_over_time():
    torch.manual_seed(0)
    network = PaperRNN(5).eval()
    frames = torch.randn(1, 15, 148)
    steps = frames[:, :12].view(1, 3, 4, 148).mean(dim=2)  # the last three are too few for a step
    mel = network.mel_branch(steps[..., :128])[0]
    mfcc = network.mfcc_branch(steps[..., 128:])[0]
    expected = network.dense(torch.cat([mel, mfcc], dim=2).mean(dim=1))
    torch.testing.assert_close(network(frames), expected)


def test_what_fills_up_a_batch_of_paper_rnn_changes_nothing():
    torch.manual_seed(0)
    network = PaperRNN(5).eval()
    n_frames = torch.tensor([4, 7, 30, 51])
    clips = [torch.randn(int(n), 148) for n in n_frames]
    batch = torch.randn(4, 51, 148)
    for row, clip in zip(batch, clips, strict=True):
        row[: len(clip)] = clip
    alone = torch.cat([network(clip[None]) for clip in clips])
    torch.testing.assert_close(network(batch, n_frames), alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", HEAR_FRAMES)
@pytest.mark.parametrize("n_frames", [1, 2, 3, 25, 1001])
def test_windows_of_any_length_are_heard(name, n_frames):
    torch.manual_seed(0)
    network = make_golden.drawn_network(name, np.random.default_rng(0))
    n_mels, columns = NETWORKS[name].n_mels, make_golden.INPUT_SHAPES[name][-1]
    filled = n_frames + -n_frames % FRAMES_MULTIPLE
    shape = (n_frames, columns) if NETWORKS[name].inputs is FRAMES else (n_mels, filled)
    window = torch.randn(1, *shape)
    heard = network(window)
    assert heard.isfinite().all()
    assert not torch.equal(heard, network(window + 1))


@pytest.mark.parametrize("name", HEAR_FRAMES)
def test_a_batch_of_one_length_may_say_so(name):
    torch.manual_seed(0)
    network = make_golden.drawn_network(name, np.random.default_rng(0))
    batch = torch.randn(3, *make_golden.INPUT_SHAPES[name])
    n_frames = torch.full((3,), batch.shape[1 if NETWORKS[name].inputs is FRAMES else 2])
    torch.testing.assert_close(network(batch, n_frames), network(batch), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_logits_are_the_stored_ones(name):
    stored = json.loads(make_golden.path_of(name).read_text())["logits"]
    np.testing.assert_allclose(make_golden.logits(name), stored, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", sorted(NETWORKS))
@pytest.mark.parametrize("n_emotions", [2, len(EMOTIONS)])
def test_there_are_as_many_logits_as_emotions(name, n_emotions):
    inputs = torch.zeros(4, *make_golden.INPUT_SHAPES[name])
    assert NETWORKS[name].torch_module(n_emotions)(inputs).shape == (4, n_emotions)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_clips_of_a_batch_do_not_touch_each_other(name):
    torch.manual_seed(0)
    network = make_golden.drawn_network(name, np.random.default_rng(0))
    inputs = torch.randn(6, *make_golden.INPUT_SHAPES[name])
    together = network(inputs)
    alone = torch.cat([network(clip[None]) for clip in inputs])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)
    assert (together.std(dim=0) > 1e-3).any()


def trained(name, n_emotions=6):
    """Network whose norms are as they are after training."""
    torch.manual_seed(0)
    network = NETWORKS[name].torch_module(n_emotions)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
            nn.init.normal_(part.weight)
            nn.init.normal_(part.bias)
    return network.eval()


def graph_of(name, network, n_emotions=6):
    """The network's graph, ready to be given batches float32 [n, ...]."""
    builder = GraphBuilder({key: t.numpy() for key, t in network.state_dict().items()})
    session = graph_session(builder.model(NETWORKS[name].graph(builder, INPUT, n_emotions)))
    return lambda batch: session.run(None, {INPUT: batch})[0]


@pytest.mark.parametrize("name", sorted(NETWORKS))
@pytest.mark.parametrize("n_frames", [1, 3, 4, 7, 50, 321])
def test_a_graph_gives_the_logits_of_its_network(name, n_frames):
    network = trained(name)
    shape = {
        CLIP_STATISTICS: (148,),
        FRAMES: (n_frames, 148),
        LOG_MEL: (64, n_frames + -n_frames % FRAMES_MULTIPLE),
        WHISPER_LOG_MEL: (80, n_frames),
    }[NETWORKS[name].inputs]
    batch = torch.randn(3, *shape)
    with torch.inference_mode():
        expected = network(batch).numpy()
    graph = graph_of(name, network)
    for given in (batch.numpy(), batch[:1].numpy()):
        largest = np.abs(expected).max()
        np.testing.assert_allclose(
            graph(given), expected[: len(given)], rtol=0, atol=3e-5 * largest
        )


def test_every_network_has_its_graph():
    for name, network in NETWORKS.items():
        assert network.name == name
        members = getattr(network.torch_module(2), "members", [None])
        assert len(members) == network.n_members
        assert bool(network.member_class) == (network.n_members > 1)


def test_the_default_network_is_the_mean_of_its_members():
    network = trained("cnn")
    frames = torch.randn(2, 64, 96)
    with torch.inference_mode():
        of_members = torch.stack([member(frames) for member in network.members])
        torch.testing.assert_close(network(frames), of_members.mean(dim=0))
    assert len(of_members) == 2
    assert not torch.allclose(of_members[0], of_members[1])


def test_a_session_keeps_the_weights_that_its_graph_has_outside():
    """ONNX Runtime may read them where they are, and does not keep them itself."""
    network = NETWORKS["cnn"].torch_module(6)
    builder = GraphBuilder({key: t.numpy().copy() for key, t in network.state_dict().items()})
    graph = builder.model(NETWORKS["cnn"].graph(builder, INPUT, 6))
    assert len(graph.content) < sum(array.nbytes for array in graph.weights.values()) / 4
    session = graph_session(graph)
    arrays = [weakref.ref(array) for array in graph.weights.values()]
    del builder, graph, network
    gc.collect()
    assert all(array() is not None for array in arrays)
    del session
    gc.collect()
    assert all(array() is None for array in arrays)
