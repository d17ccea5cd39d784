"""Classifiers that do on the CPU what they do on a GPU, for machines without one."""

from support.windowing import ONE_BY_ONE

from serctl.models.classifier import Classifier
from serctl.models.inference import TorchInference
from serctl.models.inputs import CLIP_STATISTICS
from serctl.models.loading import load_model


def as_on_a_gpu(folder, batch_size):
    """Classifier of a weights folder that has torch hear windows in batches."""
    model = load_model(str(folder))
    classifier = Classifier(model, device="cpu", batch_size=batch_size, windowing=ONE_BY_ONE)
    classifier.device = "cuda"  # in name alone
    classifier._inference = TorchInference(model, "cpu", batch_size)
    classifier._n_left_below = None if model.config.inputs is CLIP_STATISTICS else batch_size
    return classifier


def seen_by(classifier):
    """List to which each batch is added that its network hears."""
    seen = []
    classifier._inference._network.register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0].clone())
    )
    return seen
