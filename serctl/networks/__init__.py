"""The networks, one file each: tensors in, logits out, no input or output.

`NETWORKS` maps the name that a model's ``config.json`` gives to the class that is built, and
`INPUTS` to what it is given. A class states as ``N_MELS``, and as ``N_MFCC`` if it hears any, what
its shapes need of a `serctl.features.MelSpec`.
"""

from torch import nn

from serctl.inputs import CLIP_STATISTICS, FRAMES, LOG_MEL, InputKind
from serctl.networks.cnn import Cnn
from serctl.networks.linear import Linear
from serctl.networks.paper_cnn import PaperCNN
from serctl.networks.paper_rnn import PaperRNN

NETWORKS: dict[str, type[nn.Module]] = {
    "paper-cnn": PaperCNN,
    "paper-svm": Linear,
    "paper-rnn": PaperRNN,
    "cnn": Cnn,
}
INPUTS: dict[str, InputKind] = {
    "paper-cnn": CLIP_STATISTICS,
    "paper-svm": CLIP_STATISTICS,
    "paper-rnn": FRAMES,
    "cnn": LOG_MEL,
}
