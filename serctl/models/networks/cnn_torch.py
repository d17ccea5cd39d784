"""The default network: a residual CNN on log-mel spectrograms, small enough for a CPU.

Blocks of two 3 x 3 convolutions (ResNet, He et al. 2016) with squeeze and excitation (Hu et al.
2018) work at ever coarser resolution, from 40 ms and four bands on: a finer one takes most of the
arithmetic, and is no more accurate. Attentive pooling (Okabe et al. 2018) gives each
channel a weight for every step, and keeps the weighted mean and standard deviation over
the clip.

Two such members, trained independently, err on different clips, so the mean of their logits errs on
fewer.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from serctl.models.networks import cnn_graph as sizes


class SqueezeExcitation(nn.Module):
    """Scales channels by gates, computed from their means over the whole spectrogram."""

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(n_channels, n_channels // sizes.REDUCTION)
        self.excite = nn.Linear(n_channels // sizes.REDUCTION, n_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Float [batch, n_channels, n_bands, n_steps], each channel of ``x`` times 0 to 1."""
        # The mean; but the gradient of `Tensor.mean` has another layout, and slows training.
        mean = x.sum(dim=(2, 3)) / (x.shape[2] * x.shape[3])
        gates = torch.sigmoid(self.excite(relu(self.squeeze(mean))))
        return x * gates[:, :, None, None]


class ResidualBlock(nn.Module):
    """Two convolutions, added to their input.

    Parameters
    ----------
    n_in, n_out : int
        Channels.
    stride : tuple of int
        Of bands and of steps.
    """

    def __init__(self, n_in: int, n_out: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(n_out),
            nn.ReLU(),
            nn.Conv2d(n_out, n_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(n_out),
        )
        self.gates = SqueezeExcitation(n_out)
        self.shortcut = nn.Sequential()
        if n_in != n_out or stride != (1, 1):
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride) if stride != (1, 1) else nn.Identity(),
                nn.Conv2d(n_in, n_out, 1, bias=False),
                nn.BatchNorm2d(n_out),
            )
        last_norm = self.convolutions[-1]
        assert isinstance(last_norm, nn.BatchNorm2d)
        nn.init.zeros_(last_norm.weight)  # an untrained block passes its input on

    def forward(self, x: Tensor) -> Tensor:
        """From float [batch, n_in, n_bands, n_steps] to [batch, n_out, fewer, fewer]."""
        return relu(self.shortcut(x) + self.gates(self.convolutions(x)))


class AttentivePooling(nn.Module):
    """Mean and standard deviation over time, with trained weights for each channel.

    Parameters
    ----------
    n_channels : int
        Of the input; the output has twice as many.
    """

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.attention = nn.Sequential(
            nn.Conv1d(n_channels, sizes.ATTENTION_WIDTH, 1),
            nn.Tanh(),
            nn.Conv1d(sizes.ATTENTION_WIDTH, n_channels, 1),
        )

    def forward(self, x: Tensor, n_steps: Tensor | None) -> Tensor:
        """Pool over time.

        Parameters
        ----------
        x : float [batch, n_channels, longest]
            Activations.
        n_steps : int64 [batch] or None
            Steps that each clip has, at least one; all of them where it is None.

        Returns
        -------
        float32 [batch, 2 n_channels]
        """
        x = x.float()  # a softmax over time in bfloat16 loses its small weights
        scores = self.attention(x).float()
        if n_steps is not None:
            steps = torch.arange(x.shape[2], device=x.device)
            scores = scores.masked_fill(steps >= n_steps[:, None, None], -torch.inf)
        weights = scores.softmax(dim=2)
        mean = (weights * x).sum(dim=2)
        variance = (weights * x.square()).sum(dim=2) - mean.square()
        return torch.cat([mean, variance.clamp(min=sizes.LEAST_VARIANCE).sqrt()], dim=1)


class CnnMember(nn.Module):
    """Residual CNN with attentive pooling.

    Parameters
    ----------
    n_emotions : int
        Of the output.
    """

    STEP_FRAMES = 16  # frames to a step at the end
    N_EMBEDDING = 2 * sizes.WIDTHS[-1]
    DROPOUT = 0.3

    def __init__(self, n_emotions: int) -> None:
        super().__init__()
        width, kernel, last = sizes.STEM_WIDTH, sizes.STEM_KERNEL, sizes.WIDTHS[-1]
        self.stem = nn.Sequential(
            nn.Conv2d(1, width, kernel, sizes.STEM_STRIDE, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )
        before = (width, *sizes.WIDTHS)
        self.blocks = nn.Sequential(*map(ResidualBlock, before, sizes.WIDTHS, sizes.STRIDES))
        self.join_bands = nn.Sequential(
            nn.Conv1d(last * sizes.N_BANDS, last, 1, bias=False),
            nn.BatchNorm1d(last),
            nn.ReLU(),
        )
        self.pooling = AttentivePooling(last)
        self.norm = nn.BatchNorm1d(2 * last)
        # `model.safetensors` has this name, so it stays.
        self.answer = nn.Sequential(nn.Dropout(self.DROPOUT), nn.Linear(2 * last, n_emotions))

    def steps(self, frames: Tensor) -> Tensor:
        """Activations before pooling: float [batch, `N_EMBEDDING` / 2, longest / 16]."""
        spectrogram = frames[:, None].contiguous(memory_format=torch.channels_last)
        x = self.blocks(self.stem(spectrogram))  # [batch, n_channels, 2, longest / 16]
        joined: Tensor = self.join_bands(x.flatten(1, 2))
        return joined

    def pooled(self, steps: Tensor, n_frames: Tensor | None = None) -> Tensor:
        """Embedding of clips, of what `steps` returns; ``n_frames`` is that of `forward`."""
        n_steps = None if n_frames is None else n_frames // self.STEP_FRAMES
        embedding: Tensor = self.norm(self.pooling(steps, n_steps))
        return embedding

    def embedding(self, frames: Tensor, n_frames: Tensor | None = None) -> Tensor:
        """Embedding of clips, the input of the last layer: float32 [batch, `N_EMBEDDING`].

        Parameters are those of `forward`.
        """
        return self.pooled(self.steps(frames), n_frames)

    def forward(self, frames: Tensor, n_frames: Tensor | None = None) -> Tensor:
        """Logits of clips.

        Parameters
        ----------
        frames : float [batch, 64, longest]
            Normalized log-mel spectrograms; ``longest`` is a multiple of 16.
        n_frames : int64 [batch], optional
            Frames that each clip has, multiples of 16, if they are padded to one length. All of
            them by default.

        Returns
        -------
        float [batch, n_emotions]
        """
        logits: Tensor = self.answer(self.embedding(frames, n_frames))
        return logits


class Cnn(nn.Module):
    """Members that are trained independently, whose logits are averaged.

    Parameters
    ----------
    n_emotions : int
        Of the output.
    """

    def __init__(self, n_emotions: int) -> None:
        super().__init__()
        self.members = nn.ModuleList(CnnMember(n_emotions) for _ in range(sizes.N_MEMBERS))

    def forward(self, frames: Tensor, n_frames: Tensor | None = None) -> Tensor:
        """Mean of the members' logits; parameters are those of `CnnMember.forward`."""
        return torch.stack([member(frames, n_frames) for member in self.members]).mean(dim=0)
