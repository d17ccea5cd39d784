"""The report's baseline, a linear support vector machine, as a network of one linear layer.

One margin an emotion, one emotion against the rest (Fan et al., "LIBLINEAR: A Library for Large
Linear Classification", 2008). A softmax of the margins over a temperature makes them probabilities.
"""

from torch import Tensor, nn

from serctl.models.networks.linear_graph import N_MELS, N_MFCC


class Linear(nn.Module):
    """One margin an emotion, linear in the normalized clip statistics.

    Parameters
    ----------
    n_emotions : int
        Of the output.
    """

    def __init__(self, n_emotions: int) -> None:
        super().__init__()
        self.margins = nn.Linear(N_MELS + N_MFCC, n_emotions)

    def forward(self, statistics: Tensor) -> Tensor:
        """Margins of clips.

        Parameters
        ----------
        statistics : float [batch, 148]
            Normalized means of 128 mel bands, then of 20 MFCC.

        Returns
        -------
        float [batch, n_emotions]
        """
        margins: Tensor = self.margins(statistics)
        return margins
