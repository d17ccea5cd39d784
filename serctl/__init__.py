"""serctl hears emotion in speech.

The command line is in `serctl.cli`, its Python face in `serctl.models.classifier`. `serctl.train` (the
folder `train/` of the checkout) makes the weights that `serctl.weights` (`weights/`) holds.
"""

__version__ = "0.2.0"
