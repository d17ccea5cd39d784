"""The final network of "Speech Emotion Recognition Using Deep Learning".

By Sharma, Philip, Chang and Lau, University of Toronto.
"""

import torch
from torch import Tensor, nn

from serctl.models.networks.paper_cnn_graph import N_MELS


class PaperCNN(nn.Module):
    """Two branches of 1-D convolutions, over mel means and over MFCC means, joined by dense layers.

    Parameters
    ----------
    n_emotions : int
        Of the output.
    """

    def __init__(self, n_emotions: int) -> None:
        super().__init__()
        self.mel_branch = nn.Sequential(  # [batch, 1, 128]
            nn.Conv1d(1, 10, kernel_size=5, stride=3),  # [batch, 10, 42]
            nn.ReLU(),
            nn.MaxPool1d(kernel_size=4, stride=2),  # [batch, 10, 20]
            nn.Conv1d(10, 10, kernel_size=4, stride=2, padding=1),  # [batch, 10, 10]
            nn.ReLU(),
        )
        self.mfcc_branch = nn.Sequential(  # [batch, 1, 20]
            nn.Conv1d(1, 10, kernel_size=4, stride=2, padding=1),  # [batch, 10, 10]
            nn.ReLU(),
        )
        self.dense = nn.Sequential(
            nn.Linear(20 * 10, 700),
            nn.ReLU(),
            nn.Linear(700, 150),
            nn.ReLU(),
            nn.Linear(150, 50),
            nn.ReLU(),
            nn.Linear(50, n_emotions),
        )

    def forward(self, statistics: Tensor) -> Tensor:
        """Logits of clips.

        Parameters
        ----------
        statistics : float [batch, 148]
            Normalized means of 128 mel bands, then of 20 MFCC.

        Returns
        -------
        float [batch, n_emotions]
        """
        clips = statistics[:, None, :]  # [batch, 1, 148]
        mel = self.mel_branch(clips[..., :N_MELS])
        mfcc = self.mfcc_branch(clips[..., N_MELS:])
        joined = torch.cat([mel, mfcc], dim=1)  # [batch, 20, 10]
        logits: Tensor = self.dense(joined.flatten(1))
        return logits
