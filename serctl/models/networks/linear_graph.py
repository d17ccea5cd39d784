"""`serctl.models.networks.linear_torch` as a graph."""

from serctl.models.networks.builder import GraphBuilder

N_MELS, N_MFCC = 128, 20


def graph(builder: GraphBuilder, statistics: str, n_emotions: int) -> str:
    """Margins of ``statistics``, float [batch, 148]."""
    return builder.dense(statistics, "margins", N_MELS + N_MFCC, n_emotions)
