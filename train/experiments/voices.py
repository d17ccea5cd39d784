"""What a voice's other recordings give, on the clips of speaker fold 0.

    python -m serctl.train.experiments.voices CORPORA [MODEL]

Run in a checkout. Each clip is classified alone, beside all of its speaker's clips of the part, and
in groups of 3, 10 and 40 clips of its speaker in several mixes of emotions (three groups a speaker
for each, seed 0; with replacement where an emotion has too few). Speakers of one clip are alone. No
label is used. Writes ``train/results/voices-<model>.json``.
"""

import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from serctl.models.embedding import Embedder
from serctl.models.loading import load_model
from serctl.models.networks import NETWORKS
from serctl.models.voices import VoiceHeads
from serctl.threads import map_in_order, n_cores
from serctl.train.corpora.manifest import clip_table
from serctl.train.corpora.splits import NEW_SPEAKERS, clips_of, split_clips
from serctl.train.data.feature_cache import ClipFeatures, cache_folder
from serctl.train.data.preparation import label_indices
from serctl.train.documents.measurements import RESULTS
from serctl.train.training.testing import log_probabilities_of

SIZES = (3, 10, 40)
N_GROUPS = 3  # of each speaker, size and mix
EVEN, ONE = "even", "one emotion"
MIXES = {EVEN: None, "70% neutral": ("neutral", 0.7), "50% angry": ("angry", 0.5)}
MIXES |= {"90% happy": ("happy", 0.9), ONE: None}


def measure(corpora: str, model: str = "whisper") -> dict[str, Any]:
    """Score a model alone and beside other recordings.

    Parameters
    ----------
    corpora : str
        Folder of the four corpora.
    model : str
        Name of a bundled model with an encoder, or a weights folder.

    Returns
    -------
    dict
        UA and accuracy, in [0, 1]: ``alone`` and ``whole``, over six and over five emotions, and for
        each size and mix ``alone`` and ``together`` of the same clips.
    """
    loaded = load_model(model)
    config, heads = loaded.config, VoiceHeads(loaded.tensors, loaded.config.fusion)
    table = clips_of(clip_table(corpora), config.emotions)
    clips = table.iloc[split_clips(table, NEW_SPEAKERS, 0).test].reset_index(drop=True)
    features = ClipFeatures(
        NETWORKS[config.network].inputs,
        config.features,
        cache_folder(),
        config.window_s,
        encoder=Embedder(loaded.tensors),
        encoder_sha256=config.encoder_sha256,
    )
    embeddings = np.stack(list(map_in_order(features, clips["path"].tolist(), n_cores())))
    if loaded.second is not None:
        second = log_probabilities_of(loaded.second, clips["path"])
        embeddings = np.hstack([embeddings, second.astype(np.float32)])
    labels = label_indices(clips["emotion"].tolist(), config.emotions)
    speakers = clips["speaker"].tolist()

    def scores(rows: NDArray[np.int64], voices: Sequence[str]) -> NDArray[np.float64]:
        recordings = list(zip(voices, embeddings[rows], strict=True))
        return np.array(list(heads.log_probabilities(lambda: recordings)))

    every = np.arange(len(clips))
    alone, whole = scores(every, [str(i) for i in every]), scores(every, speakers)
    five = [i for i, emotion in enumerate(config.emotions) if emotion != "neutral"]
    of_five = np.isin(labels, five)
    result: dict[str, Any] = {
        "model": config.name,
        "command": f"python -m serctl.train.experiments.voices CORPORA {config.name}",
        "n_clips": len(clips),
        **{
            name: {
                "six": _score(found, labels, range(len(config.emotions))),
                "five": _score(found[of_five], labels[of_five], five),
            }
            for name, found in (("alone", alone), ("whole", whole))
        },
        "mixes": {},
    }
    random = np.random.default_rng(0)
    for n in SIZES:
        for mix in MIXES:
            rows, voices = _groups(clips, config.emotions, n, mix, random)
            together = scores(rows, voices)
            result["mixes"][f"{n} {mix}"] = {
                name: _score(found, labels[rows], range(len(config.emotions)))
                for name, found in (("alone", alone[rows]), ("together", together))
            }
    return result


def _score(
    scores: NDArray[np.float64], labels: NDArray[np.int64], emotions: Sequence[int]
) -> dict[str, float]:
    """UA and accuracy among some emotions."""
    columns = np.array(list(emotions))
    right = columns[scores[:, columns].argmax(axis=1)] == labels
    recalls = [right[labels == emotion].mean() for emotion in columns if (labels == emotion).any()]
    return {"ua": float(np.mean(recalls)), "wa": float(right.mean())}


def _groups(
    clips: pd.DataFrame,
    emotions: Sequence[str],
    n: int,
    mix: str,
    random: np.random.Generator,
) -> tuple[NDArray[np.int64], list[str]]:
    """Rows of clips, and the group of each, named as a voice."""
    rows, voices = [], []
    for speaker, own in clips.groupby("speaker"):
        if own["emotion"].nunique() < len(emotions):
            continue
        for group in range(N_GROUPS):
            for emotion, count in zip(emotions, _counts(emotions, n, mix, random), strict=True):
                known = own.index[own["emotion"] == emotion].to_numpy()
                rows.append(random.choice(known, count, replace=count > len(known)))
                voices += [f"{speaker} {group}"] * count
    return np.concatenate(rows), voices


def _counts(
    emotions: Sequence[str], n: int, mix: str, random: np.random.Generator
) -> NDArray[np.int64]:
    """How many recordings of each emotion a group has."""
    shares = np.full(len(emotions), 1 / len(emotions))
    if mix == ONE:
        shares = np.eye(len(emotions))[random.integers(len(emotions))]
    elif (prevailing := MIXES[mix]) is not None:
        emotion, share = prevailing
        shares = np.full(len(emotions), (1 - share) / (len(emotions) - 1))
        shares[emotions.index(emotion)] = share
    counts = np.floor(shares * n + 1e-9).astype(np.int64)
    rest = shares * n - counts
    if left := n - counts.sum():
        counts += random.multinomial(left, rest / rest.sum())
    return counts


def main() -> None:
    """Measure a model, and write its figures."""
    result = measure(*sys.argv[1:3])
    path = RESULTS / f"voices-{result['model']}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
