"""The dual RNN of "Speech Emotion Recognition Using Deep Learning".

By Sharma, Philip, Chang and Lau, University of Toronto. One two-layer recurrent network takes the
frames of the mel spectrogram and one those of the MFCC; dense layers join their outputs. The
report gives neither cell nor width nor length: ours are gated recurrent units (Cho et al. 2014)
over frames averaged four by four, whose outputs are averaged over time.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d

from serctl.models.networks.paper_rnn_graph import N_LAYERS, N_MELS, N_MFCC, STEP_FRAMES, WIDTH


class PaperRNN(nn.Module):
    """Two recurrent branches, over mel frames and over MFCC frames, joined by dense layers.

    Parameters
    ----------
    n_emotions : int
        Of the output.
    """

    def __init__(self, n_emotions: int) -> None:
        super().__init__()
        self.mel_branch = nn.GRU(N_MELS, WIDTH, num_layers=N_LAYERS, batch_first=True)
        self.mfcc_branch = nn.GRU(N_MFCC, WIDTH, num_layers=N_LAYERS, batch_first=True)
        self.dense = nn.Sequential(
            nn.Linear(2 * WIDTH, 64),
            nn.ReLU(),
            nn.Linear(64, n_emotions),
        )

    def forward(self, frames: Tensor, n_frames: Tensor | None = None) -> Tensor:
        """Logits of clips.

        Parameters
        ----------
        frames : float [batch, longest, 148]
            Normalized mel bands (128) and MFCC (20) of each frame.
        n_frames : int64 [batch], optional
            Frames that each clip has, at least 4, if they are padded to one length:
            the padding changes nothing. All of them by default.

        Returns
        -------
        float [batch, n_emotions]
        """
        # A last frame without another is a step if it is the only one.
        steps = avg_pool1d(frames.mT, STEP_FRAMES, ceil_mode=True).mT  # [batch, n_steps, 148]
        mel, _ = self.mel_branch(steps[..., :N_MELS])  # [batch, n_steps, 64]
        mfcc, _ = self.mfcc_branch(steps[..., N_MELS:])  # [batch, n_steps, 64]
        outputs = torch.cat([mel, mfcc], dim=2)  # [batch, n_steps, 128]
        if n_frames is None:
            mean = outputs[:, : max(frames.shape[1] // STEP_FRAMES, 1)].mean(dim=1)
        else:
            n_steps = (n_frames // STEP_FRAMES).clamp(min=1)[:, None]  # [batch, 1]
            is_there = torch.arange(outputs.shape[1], device=outputs.device) < n_steps
            mean = (outputs * is_there[..., None]).sum(dim=1) / n_steps  # [batch, 128]
        logits: Tensor = self.dense(mean)
        return logits
