"""The networks, one file each: tensors in, logits out, no input or output.

`NETWORKS` maps the name that a model's ``config.json`` gives to the class that is built, for
training and for GPUs. On a CPU the same is classified by the graphs of `serctl.models.networks`,
where their sizes stand too, since a command that only classifies need not load torch.
"""

from torch import nn

from serctl.models.networks.cnn_torch import Cnn, CnnMember
from serctl.models.networks.linear_torch import Linear
from serctl.models.networks.paper_cnn_torch import PaperCNN
from serctl.models.networks.paper_rnn_torch import PaperRNN

NETWORKS: dict[str, type[nn.Module]] = {
    "paper-cnn": PaperCNN,
    "paper-svm": Linear,
    "paper-rnn": PaperRNN,
    "cnn": Cnn,
}
# Of networks that are the mean of several: what each of these is.
MEMBERS: dict[str, type[nn.Module]] = {"cnn": CnnMember}
