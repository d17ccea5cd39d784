"""The test part of a training: its logits, and their scores."""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from serctl.errors import RunError
from serctl.models.classifier import Classifier
from serctl.models.inference import fuse, log_softmax
from serctl.models.loading import Model
from serctl.models.networks.whisper_torch import Whisper
from serctl.threads import map_in_order, n_cores
from serctl.train.corpora.manifest import SILENT_CLIP
from serctl.train.data.feature_cache import ClipFeatures, cache_folder
from serctl.train.data.preparation import PreparedClips
from serctl.train.evaluation.held_out_logits import HeldOutLogits
from serctl.train.evaluation.scores import Scores, score


def logits_of(
    model: Model, network: nn.Module, clips: PreparedClips, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Logits of some clips, float64 [n, n_emotions], by the classifier that users get.

    Of embeddings by the heads alone: the encoder has already run.
    """
    if isinstance(network, Whisper):
        embeddings = torch.from_numpy(clips.embeddings(rows, copies=False).copies[0])
        with torch.inference_mode():
            logits: NDArray[np.float64] = network.classify(embeddings).double().numpy()
        if model.second is None:
            return logits
        return fuse(logits, log_probabilities_of(model.second, clips.clips["path"].iloc[rows]))
    return Classifier(model, device="cpu").window_logits(clips.inputs(rows))


def log_probabilities_of(model: Model, paths: Iterable[str]) -> NDArray[np.float64]:
    """Log-probabilities of corpus clips by a model, float64 [n, n_emotions], each as one window."""
    config = model.config
    features = ClipFeatures(config.inputs, config.features, cache_folder())
    raw = map_in_order(features, list(paths), n_cores())
    windows = [config.inputs.normalize(one, config.normalization, config.features) for one in raw]
    logits = Classifier(model, device="cpu").window_logits(windows)
    return log_softmax(logits / config.temperature)


def test_logits(model: Model, network: nn.Module, clips: PreparedClips) -> HeldOutLogits:
    """Logits of the test part."""
    rows = clips.split.test
    logits = logits_of(model, network, clips, rows)
    if not np.isfinite(logits).all():
        raise RunError(
            f"{model.config.name}: the trained weights give logits that are not finite. Train it with a "
            "lower learning rate."
        )
    table = clips.clips.iloc[rows]
    names = list(zip(table["corpus"], table["clip"], strict=True))
    return HeldOutLogits(
        clips=names,
        speakers=table["speaker"].tolist(),
        emotions=clips.emotions,
        references=clips.labels[rows],
        # `Classifier.extract` finds it silent.
        has_prediction=np.array([name != SILENT_CLIP for name in names]),
        logits=logits.astype(np.float32),
    )


def score_logits(held_out: HeldOutLogits) -> Scores:
    """Score the most probable emotions."""
    emotions, best = held_out.emotions, held_out.logits.argmax(axis=1)
    predictions = [
        emotions[i] if has_prediction else ""
        for i, has_prediction in zip(best, held_out.has_prediction, strict=True)
    ]
    references = [emotions[i] for i in held_out.references]
    corpora = [corpus for corpus, _ in held_out.clips]
    return score(references, predictions, corpora, emotions, held_out.speakers)
