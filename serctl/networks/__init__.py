"""The networks, one file each: tensors in, logits out, no input or output.

`NETWORKS` maps the name that a model's ``config.json`` gives to the class that is built.
"""

from torch import nn

from serctl.networks.paper_cnn import PaperCNN

NETWORKS: dict[str, type[nn.Module]] = {"paper-cnn": PaperCNN}
