"""The networks, one file each: tensors in, logits out, no input or output.

`NETWORKS` maps the name that a model's ``config.json`` gives to the class that is built, for
training and for GPUs. On a CPU the same is classified by the graphs of `serctl.graphs`, where their
sizes stand too, since a command that only classifies need not load torch.
"""

from torch import nn

from serctl.networks.cnn import Cnn, CnnMember
from serctl.networks.linear import Linear
from serctl.networks.paper_cnn import PaperCNN
from serctl.networks.paper_rnn import PaperRNN

NETWORKS: dict[str, type[nn.Module]] = {
    "paper-cnn": PaperCNN,
    "paper-svm": Linear,
    "paper-rnn": PaperRNN,
    "cnn": Cnn,
}
# Of networks that are the mean of several: what each of these is.
MEMBERS: dict[str, type[nn.Module]] = {"cnn": CnnMember}
