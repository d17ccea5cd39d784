"""What others published, beside which our own figures stand."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Encoder:
    """A pre-trained encoder, frozen, with a head trained on each corpus by itself.

    Attributes
    ----------
    name : str
        As its makers call it.
    n_million : int
        Parameters, in millions.
    ua : dict of str to float
        Unweighted accuracy by corpus, in [0, 1].
    """

    name: str
    n_million: int
    ua: dict[str, float]


def _encoder(name: str, n_million: int, *ua: float) -> Encoder:
    corpora = ("crema-d", "ravdess", "savee", "tess")
    return Encoder(name, n_million, dict(zip(corpora, ua, strict=True)))


# EmoBox (arXiv 2406.07162), table 4.
EMOBOX = (
    _encoder("wav2vec 2.0 base", 95, 0.6195, 0.5433, 0.4489, 0.9792),
    _encoder("HuBERT base", 95, 0.7113, 0.6543, 0.5890, 0.9962),
    _encoder("WavLM base", 95, 0.6964, 0.6156, 0.6357, 0.9910),
    _encoder("data2vec base", 93, 0.5803, 0.5192, 0.7565, 0.9467),
    _encoder("data2vec 2.0 base", 94, 0.6574, 0.6466, 0.7265, 0.9855),
    _encoder("HuBERT large", 316, 0.7383, 0.7000, 0.7191, 0.9986),
    _encoder("WavLM large", 317, 0.7450, 0.7200, 0.6674, 0.9978),
    _encoder("Whisper large v3", 635, 0.7675, 0.7532, 0.7407, 0.9996),
)
