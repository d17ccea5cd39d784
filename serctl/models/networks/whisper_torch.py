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
        return x + self.fc2(hidden)


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
    """One hidden layer between an embedding, with its voice's others, and the logits.

    Parameters
    ----------
    n_emotions : int
        Of the output.
    """

    def __init__(self, n_emotions: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(2 * sizes.N_EMBEDDING + 1, sizes.HIDDEN)
        self.output = nn.Linear(sizes.HIDDEN, n_emotions)

    def forward(self, features: Tensor) -> Tensor:
        """Log-probabilities float [batch, n_emotions] of `group_features`."""
        return log_softmax(self.output(gelu(self.hidden(features))), dim=1)


class Whisper(nn.Module):
    """Encoder and heads.

    Parameters
    ----------
    n_emotions : int
        Of the output.
    """

    def __init__(self, n_emotions: int) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.heads = nn.ModuleList(Head(n_emotions) for _ in range(sizes.N_HEADS))

    def embedding(self, frames: Tensor) -> Tensor:
        """Embedding float [batch, N_EMBEDDING] of float [batch, 80, n_frames]."""
        activations = self.encoder(frames)
        return torch.cat([activations[i].mean(dim=1) for i in sizes.POOLED], dim=1)

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
        embedded = self.embedding(frames)
        alone = torch.zeros(len(embedded), sizes.N_EMBEDDING + 1).to(embedded)
        features = torch.cat([embedded, alone], dim=1)
        return torch.stack([head(features) for head in self.heads]).mean(dim=0)
