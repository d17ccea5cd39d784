"""The first blocks of Whisper's encoder, frozen, the mean of their activations, and heads.

Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision" (2022). The encoder's
tensors have the names that Hugging Face's ``WhisperModel`` gives them. Windows have their own
length: they take the first positions, and are not padded to 30 s.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, log_softmax, scaled_dot_product_attention

from serctl.models.networks import whisper_encoder_graph as encoder_sizes
from serctl.models.networks import whisper_graph as sizes

WIDTH = encoder_sizes.WIDTH


class SelfAttention(nn.Module):
    """Attention of all steps to all steps, with several heads."""

    def __init__(self) -> None:
        super().__init__()
        self.q_proj = nn.Linear(WIDTH, WIDTH)
        self.k_proj = nn.Linear(WIDTH, WIDTH, bias=False)
        self.v_proj = nn.Linear(WIDTH, WIDTH)
        self.out_proj = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """From float [batch, n_steps, WIDTH] to the same shape."""
        query, keys, value = (
            project(x).unflatten(2, (encoder_sizes.N_HEADS, -1)).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        attended = scaled_dot_product_attention(query, keys, value)
        joined: Tensor = self.out_proj(attended.transpose(1, 2).flatten(2))
        return joined


class EncoderBlock(nn.Module):
    """Self-attention, then two dense layers, each after a layer normalization and added."""

    def __init__(self) -> None:
        super().__init__()
        self.self_attn_layer_norm = nn.LayerNorm(WIDTH)
        self.self_attn = SelfAttention()
        self.final_layer_norm = nn.LayerNorm(WIDTH)
        self.fc1 = nn.Linear(WIDTH, encoder_sizes.HIDDEN)
        self.fc2 = nn.Linear(encoder_sizes.HIDDEN, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """From float [batch, n_steps, WIDTH] to the same shape."""
        x = x + self.self_attn(self.self_attn_layer_norm(x))
        hidden = gelu(self.fc1(self.final_layer_norm(x)))
        y: Tensor = x + self.fc2(hidden)
        return y


class Encoder(nn.Module):
    """Convolutions and the first blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(encoder_sizes.N_MELS, WIDTH, 3, padding=1)
        self.conv2 = nn.Conv1d(WIDTH, WIDTH, 3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(encoder_sizes.MAX_STEPS, WIDTH)
        self.layers = nn.ModuleList(EncoderBlock() for _ in range(encoder_sizes.N_BLOCKS))

    def forward(self, frames: Tensor) -> list[Tensor]:
        """Activations of the convolutions and of each block, float [batch, n_steps, WIDTH]."""
        x = gelu(self.conv2(gelu(self.conv1(frames)))).transpose(1, 2)
        activations = [x]
        x = x + self.embed_positions.weight[: x.shape[1]]
        for block in self.layers:
            x = block(x)
            activations.append(x)
        return activations


class Head(nn.Module):
    """One hidden layer between an embedding and the log-probabilities.

    Parameters
    ----------
    head : HeadSizes
        Its sizes.
    n_emotions : int
        Of the output.
    """

    def __init__(self, head: sizes.HeadSizes, n_emotions: int) -> None:
        super().__init__()
        self.sizes = head
        self.hidden = nn.Linear(head.n_inputs + 1, head.hidden)
        self.output = nn.Linear(head.hidden, n_emotions)

    def forward(self, x: Tensor, n_recordings: Tensor, dropout: float = 0.0) -> Tensor:
        """Log-probabilities of recordings.

        Parameters
        ----------
        x : float [batch, n_embedding]
            Normalized embeddings, less what is common to the voice's recordings.
        n_recordings : float [batch, 1]
            How many recordings of the voice there are, at least one.
        dropout : float
            Share of the hidden layer that is dropped, in training.

        Returns
        -------
        float [batch, n_emotions]
        """
        head = self.sizes
        others = x[:, head.n_alone : head.n_inputs] * (n_recordings > 1)
        count = n_recordings.clamp(max=sizes.MAX_RECORDINGS).log() / sizes.COUNT_SCALE
        hidden = gelu(self.hidden(torch.cat([x[:, : head.n_alone], others, count], dim=1)))
        return log_softmax(self.output(torch.dropout(hidden, dropout, dropout > 0)), dim=1)


class Embedding(nn.Module):
    """Mean and standard deviation of the embedding, over training clips."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(sizes.N_EMBEDDING))
        self.register_buffer("std", torch.ones(sizes.N_EMBEDDING))

    def forward(self, x: Tensor) -> Tensor:
        """Normalize embeddings, float [batch, n_embedding]."""
        return (x - self.mean) / self.std


def pool(activations: list[Tensor]) -> Tensor:
    """Embedding float [batch, n_embedding] of an `Encoder`'s activations."""
    chosen = [activations[i] for i in sizes.LAST_BLOCKS]
    means = [x.mean(dim=1) for x in chosen]
    variances = [x.var(dim=1, correction=0).clamp(min=sizes.LEAST_VARIANCE) for x in chosen]
    return torch.cat([*means, *(variance.sqrt() for variance in variances)], dim=1)


class Whisper(nn.Module):
    """Encoder and heads.

    Parameters
    ----------
    n_emotions : int
        Of the output.
    """

    class_offsets: Tensor

    def __init__(self, n_emotions: int) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.embedding = Embedding()
        self.register_buffer("class_offsets", torch.zeros(n_emotions, sizes.N_EMBEDDING))
        self.heads = nn.ModuleList(Head(head, n_emotions) for head in sizes.HEADS)

    def embed(self, frames: Tensor) -> Tensor:
        """Embedding float [batch, n_embedding] of float [batch, 80, n_frames]."""
        return pool(self.encoder(frames))

    def forward(self, frames: Tensor) -> Tensor:
        """Logits of windows, each alone.

        Parameters
        ----------
        frames : float [batch, 80, n_frames]
            `serctl.features.whisper.whisper_log_mel`, transposed.

        Returns
        -------
        float [batch, n_emotions]
        """
        return self.classify(self.embed(frames))

    def classify(self, embeddings: Tensor) -> Tensor:
        """Logits float [batch, n_emotions] of embeddings float [batch, n_embedding], each alone."""
        x = self.embedding(embeddings)
        alone = x.new_ones(len(x), 1)
        return torch.stack([head(x, alone) for head in self.heads]).mean(dim=0)


class WhisperLabels(nn.Module):
    """Encoder, hidden layers of the heads, and one last layer for a user's own labels.

    Parameters
    ----------
    n_labels : int
        Of the output.
    """

    def __init__(self, n_labels: int) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.embedding = Embedding()
        self.hidden = nn.ModuleList(nn.Linear(head.n_alone, head.hidden) for head in sizes.HEADS)
        self.output = nn.Linear(sizes.N_LAST, n_labels)

    def forward(self, frames: Tensor) -> Tensor:
        """Logits float [batch, n_labels] of windows, as `Whisper.forward` takes them."""
        x = self.embedding(pool(self.encoder(frames)))
        pairs = zip(self.hidden, sizes.HEADS, strict=True)
        hidden = [gelu(layer(x[:, : head.n_alone])) for layer, head in pairs]
        logits: Tensor = self.output(torch.cat([*hidden, x[:, : sizes.N_MEANS]], dim=1))
        return logits
