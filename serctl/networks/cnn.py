"""A small convolutional network on log-mel spectrograms."""

import torch
from torch import Tensor, nn


class Cnn(nn.Module):
    """Four convolutions, each of which halves time and frequency, and a mean over what is left.

    Parameters
    ----------
    n_emotions : int
        Of the output.
    """

    N_MELS = 64
    WIDTHS = (16, 24, 32, 48)

    def __init__(self, n_emotions: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for n_in, n_out in zip((1, *self.WIDTHS), self.WIDTHS, strict=False):
            layers += [
                nn.Conv2d(n_in, n_out, kernel_size=3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(n_out),
                nn.ReLU(),
            ]
        self.convolutions = nn.Sequential(*layers)
        self.dense = nn.Linear(self.WIDTHS[-1], n_emotions)

    def forward(self, frames: Tensor, n_frames: Tensor | None = None) -> Tensor:
        """Logits of clips.

        Parameters
        ----------
        frames : float [batch, 64, longest]
            Scaled log-mel spectrograms; ``longest`` is a multiple of 16.
        n_frames : int64 [batch], optional
            Frames that each clip has, multiples of 16, if they are filled up to one length. All of
            them by default.

        Returns
        -------
        float [batch, n_emotions]
        """
        heard = self.convolutions(frames[:, None]).mean(dim=2)  # [batch, 48, longest / 16]
        if n_frames is None:
            mean = heard.mean(dim=2)
        else:
            n_steps = (n_frames // 16)[:, None]  # [batch, 1]
            is_there = torch.arange(heard.shape[2], device=heard.device) < n_steps
            mean = (heard * is_there[:, None]).sum(dim=2) / n_steps  # [batch, 48]
        logits: Tensor = self.dense(mean)
        return logits
