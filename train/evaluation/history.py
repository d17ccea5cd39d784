"""History of a training: losses and accuracies of each epoch."""

from dataclasses import dataclass, field


@dataclass
class Epoch:
    """Mean training loss and validation loss of an epoch, in nats, and accuracy in [0, 1]."""

    train_loss: float
    validation_loss: float
    validation_accuracy: float


@dataclass
class History:
    """Epochs of the training of one network.

    Attributes
    ----------
    epochs : list of Epoch
        All that ran.
    best_epoch : int
        The one whose weights are kept, from 0.
    """

    epochs: list[Epoch] = field(default_factory=list)
    best_epoch: int = -1

    @property
    def best_accuracy(self) -> float:
        """Validation accuracy of the epoch that is kept."""
        return self.epochs[self.best_epoch].validation_accuracy if self.epochs else -1.0
