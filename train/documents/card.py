"""The model card: architecture, accuracy, limits and uses of a model.

A card is made of a model's configuration, the metrics of its training and, for a bundled model, its
measurements in ``train/results``. What was not measured is left out.
"""

import textwrap
from collections.abc import Sequence
from typing import Any

import torch

from serctl.models.config import ModelConfig
from serctl.models.networks import NETWORKS
from serctl.train.corpora.splits import NEW_SPEAKERS, REPORT
from serctl.train.documents import calibration, card_tables
from serctl.train.documents.card_tables import share_of
from serctl.train.documents.measurements import extent
from serctl.train.documents.voices import voices_of

WIDTH = 100  # of lines in a card

HOW_MANY = (
    "It has {weights} parameters. It classifies a recording of speech as one of {n_emotions} emotions "
    "({emotions}). {precision}The command that trains it:"
)
PRECISION = {
    "float32": "It was trained in float32. ",
    "bfloat16": "It was trained in bfloat16, with weights in float32. ",
}

TERMS = (
    "These weights may be used for research and other non-commercial purposes only, as the terms of "
    "their training corpora require. serctl's code has the MIT license; the weights do not."
)

SCORED = (
    "Split: {split}. {n_train} clips for training, {n_validation} for validation, which chose {chosen}, "
    "and {n_test} for the test, scored once, at the end."
)
SCORED_BEFORE = {
    "paper-cnn": "Two earlier recipes of this model were scored on the same test clips.",
    "cnn": "Eight other recipes of this model were scored on fold 0 of `new-speakers`, three of them "
    "on `report` too. One of them lost accuracy in noise on the test clips of fold 0; later recipes "
    "have more augmentation for that reason, so noise on fold 0 is not an untouched test "
    "(train/results/experiments.md).",
    "whisper": "Two earlier recipes of this model, without `cnn`, were scored on the same test clips: "
    "75.6% and 74.3% on fold 0 of `new-speakers`, 73.8% and 73.6% over its five folds, 49.9% and 50.9% "
    "on corpora left out of training, over five emotions (train/results/experiments-whisper.md).",
}
HEADLINE = (
    "**UA {ua}** (unweighted accuracy, the mean of the recalls below), WA {wa:.1%} (weighted accuracy, "
    "the share of clips that are right). Chance is {chance:.1%}. In brackets, here and below: 95% "
    "confidence intervals (bootstrap over clips). Clips of one speaker are alike, so intervals over "
    "speakers are wider. To reproduce it, with FOLDER for the folder of this card and CORPORA for "
    "that of the corpora:"
)
SPLIT_NOTES = {
    "report": "random by clip: test speakers are in the training part too",
    "new-speakers": "test speakers are not in the training part",
}
EMOBOX_NOTE = "EmoBox's, one corpus by itself"

PROTOCOLS = "The same recipe by each protocol, trained once for each seed or fold:"
BY_CORPUS = "UA by corpus, the mean over the runs that test clips of it:"
EMOBOX = (
    "By EmoBox's protocol, each corpus by itself with all its emotions, trained on that corpus's "
    "training part, beside what EmoBox published (arXiv 2406.07162, table 4) of frozen encoders "
    "pre-trained on other speech. CREMA-D's and TESS's test speakers are in the training "
    "parts too; RAVDESS's and SAVEE's are not."
)
GROUPS = (
    "Test clips of {folds} of `new-speakers`, with sex and age as the corpora list them. Age is "
    "known for CREMA-D's actors and TESS's two women. Scores of groups with few speakers are "
    "uncertain. Race, ethnicity and accent were not measured."
)
VOICES = (
    "The test clips of fold 0, each alone and beside other clips of its speaker, without their labels "
    "(`serctl classify --voices`). It helps most when a voice's recordings have all emotions. "
    "Where one emotion prevails, it gains less, and may lose. Three recordings gain little."
)
ROBUSTNESS = (
    "These weights on the {n_clips} clips of fold 0 with one of {n_emotions} emotions, after synthetic "
    "corruptions. A signal-to-noise ratio (in dB) compares powers over the whole clip; the voices of "
    "babble are other speakers of fold 0. The command that measures it:"
)

LIMITS = (
    "Everyone in these corpora is an actor who was asked for an emotion, in short English sentences "
    "recorded in a quiet room. The training data has no spontaneous speech, other languages or "
    "children; noise, rooms and phone lines are at most synthetic. Accuracy on them is not known. "
    "Expect it to be lower.",
    "The test clips above are from the training corpora. Accuracy falls far more on another corpus than "
    "on another speaker, even if it is acted and in English, and confidence is too high there: see "
    "the section on other corpora in train/results/experiments.md.",
    "It classifies how an emotion is acted, not what a person feels. Listeners to the voice alone in "
    "CREMA-D named the acted emotion in 40% of their judgements, choosing between six.",
    "Accuracy is not equal for all: it differs between corpora, emotions and people, and the "
    "121 speakers are not a sample of any population.",
    "It always predicts one of its emotions, even for speech without emotion. `serctl classify` looks "
    "for speech first, and leaves out music and noise; singing and laughter can pass for speech.",
    "A recording shorter than {min_duration_s} s is not classified. One longer than {window_s:.0f} s "
    "is classified in windows of 4 s, and its label is their average; its segments show what changes.",
)

NOT_TO_BE_USED = (
    "Do not use it for any decision about a person, or to judge, rank or monitor people, one by one or "
    "in crowds. Do not use it without the knowledge of the people recorded. Above all, do not use it:"
)
USES = (
    "to hire, promote, dismiss, grade, admit, lend or insure;",
    "for policing, border control or courts, or to detect lies or intent;",
    "to diagnose or treat, in body or mind, or to decide who needs help;",
    "to monitor employees, pupils, callers, customers or crowds.",
)
LAW = (
    "In the European Union, Article 5(1)(f) of Regulation (EU) 2024/1689 (the AI Act) forbids AI "
    "systems that infer emotions of people at the workplace or in education, except for medical or "
    "safety reasons; these weights are intended for neither. Where emotion recognition "
    "is allowed, it may count as high-risk there (Annex III), and the people exposed to it must be "
    "informed (Article 50(3)). Other laws may apply, there and elsewhere; this is not legal advice."
)


def card_text(
    config: ModelConfig, metrics: dict[str, Any], measurements: dict[str, Any] | None = None
) -> str:
    """Text of ``card.md``.

    Parameters
    ----------
    config : ModelConfig
        Of the model.
    metrics : dict
        As ``metrics.json`` holds it.
    measurements : dict, optional
        As `serctl.train.documents.measurements.read_measurements` gives it for a bundled model: its
        protocols, and ``robustness`` (left out if it is of other weights), ``groups`` and
        ``calibration``.

    Returns
    -------
    str
        Markdown.
    """
    measurements = measurements or {}
    blocks = [
        *_description(config, metrics),
        "## Terms",
        filled(TERMS),
        card_tables.terms(),
        *_accuracy(config, metrics),
        *_protocols(measurements),
        *_section(
            "By sex and age", GROUPS, card_tables.groups(measurements), folds=_folds(measurements)
        ),
        *_voices(measurements),
        *_robustness(config, measurements),
        *_calibration(config, measurements),
        "## Limits",
        listed(LIMITS, min_duration_s=config.min_duration_s, window_s=config.window_s),
        "## Do not use it",
        filled(NOT_TO_BE_USED),
        listed(USES),
        filled(LAW),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _description(config: ModelConfig, metrics: dict[str, Any]) -> list[str]:
    with torch.device("meta"):  # shapes alone
        names = [config.network, *([NETWORKS[config.network].fuses_with] if config.fusion else [])]
        networks = [NETWORKS[name].torch_module(len(config.emotions)) for name in names]
    n_weights = sum(weights.numel() for network in networks for weights in network.parameters())
    spec = config.features
    what = NETWORKS[config.network].description.format(n_mels=spec.n_mels, n_mfcc=spec.n_mfcc)
    how_many = HOW_MANY.format(
        weights=f"{n_weights:,}".replace(",", " "),
        n_emotions=len(config.emotions),
        emotions=", ".join(config.emotions),
        precision=_precision(metrics),
    )
    return [f"# {config.name}", filled(f"{what} {how_many}"), f"    {metrics['command']}"]


def _precision(metrics: dict[str, Any]) -> str:
    """Sentence on the precision of the training; empty for an SVM."""
    # Metrics of 0.1.0 have that of the recipe only, which was then used on every processor.
    wanted = metrics["recipe"].get("training", {}).get("precision")
    precision = metrics.get("made_with", {}).get("precision", wanted)
    return PRECISION[precision] if precision else ""


def _accuracy(config: ModelConfig, metrics: dict[str, Any]) -> list[str]:
    test, split = metrics["test"], metrics["split"]
    where = f"seed {metrics['seed']}" if split == "report" else f"fold {metrics['fold']}"
    recipe = metrics["recipe"]
    chosen = "C and the temperature" if "svm" in recipe else "the temperature"
    if recipe.get("training", {}).get("schedule") == "constant":
        chosen = "the epoch that is kept and the temperature"
    scored = SCORED.format(
        split=f"`{split}`, {where} ({SPLIT_NOTES.get(split, EMOBOX_NOTE)})",
        n_train=metrics["n_train"],
        n_validation=metrics["n_validation"],
        chosen=chosen,
        n_test=test["n_clips"],
    )
    is_ours = metrics["split"] in (REPORT, NEW_SPEAKERS)
    before = SCORED_BEFORE.get(config.name, "") if is_ours else ""
    headline = HEADLINE.format(
        ua=share_of(test["ua"], card_tables.interval_of_mean([test])),
        wa=test["wa"],
        chance=1 / len(config.emotions),
    )
    return [
        "## Accuracy",
        filled(f"{scored} {before}".rstrip()),
        filled(headline),
        f"    serctl evaluate --model FOLDER --corpora CORPORA --split {split} --{where}",
        card_tables.by_corpus(test),
        card_tables.by_emotion(test),
        card_tables.confusion(test),
    ]


def _protocols(measurements: dict[str, Any]) -> list[str]:
    of_all, by_corpus = (
        card_tables.protocols(measurements),
        card_tables.protocols_by_corpus(measurements),
    )
    emobox = card_tables.emobox(measurements)
    return [
        "## Accuracy by every protocol" if of_all or emobox else "",
        *((filled(PROTOCOLS), of_all, filled(BY_CORPUS), by_corpus) if of_all else ()),
        *((filled(EMOBOX), emobox) if emobox else ()),
    ]


def _voices(measurements: dict[str, Any]) -> list[str]:
    if "voices" not in measurements:
        return []
    return [
        "## With a voice's other recordings",
        filled(VOICES),
        voices_of(measurements["voices"]),
    ]


def _robustness(config: ModelConfig, measurements: dict[str, Any]) -> list[str]:
    if (measured := measurements.get("robustness")) is None or measured["sha256"] != config.sha256:
        return []
    numbers = {"n_clips": measured["n_clips"], "n_emotions": len(measured["emotions"])}
    return [
        "## Robustness",
        filled(ROBUSTNESS.format(**numbers)),
        f"    {measured['command']}",
        card_tables.robustness(measured),
    ]


def _calibration(config: ModelConfig, measurements: dict[str, Any]) -> list[str]:
    text = calibration.CALIBRATION.format(temperature=config.temperature)
    measured = measurements.get("calibration")
    if measured is None:
        return ["## Calibration", filled(text)]
    text += " " + calibration.ECE.format(
        n_clips=measured["after"]["n_clips"], folds=_folds(measurements)
    )
    figure = f"../../train/results/{config.name}-new-speakers-reliability.png"
    return [
        "## Calibration",
        filled(text),
        calibration.calibration(measurements),
        filled(calibration.COVERAGE),
        calibration.coverage(measurements),
        filled(calibration.COVERAGE_LIMIT),
        f"![Reliability diagram: accuracy by confidence]({figure})",
    ]


def _folds(measurements: dict[str, Any]) -> str:
    """How many folds of `new-speakers` were measured."""
    summary = measurements.get(NEW_SPEAKERS)
    return (extent(summary, NEW_SPEAKERS) if summary is not None else "") or "all folds"


def _section(title: str, text: str, table: str, **numbers: Any) -> list[str]:
    """A heading, a paragraph and a table; nothing without the table."""
    return [f"## {title}", filled(text.format(**numbers)), table] if table else []


def listed(items: Sequence[str], **numbers: Any) -> str:
    """List in Markdown; items have placeholders if there are numbers."""
    texts = [filled(item.format(**numbers) if numbers else item, WIDTH - 2) for item in items]
    return "\n".join(textwrap.indent(text, "  ").replace(" ", "-", 1) for text in texts)


def filled(text: str, width: int = WIDTH) -> str:
    """Text in lines of a card's width."""
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)
