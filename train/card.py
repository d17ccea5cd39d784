"""The model card: what a model is, how good it is and on whom, and what it must not be used for.

A card is made of a model's configuration, the metrics of its training and, for a bundled model, of
what ``train/results`` holds of it. What was not measured is left out.
"""

import textwrap
from typing import Any

import torch

from serctl.models import ModelConfig
from serctl.networks import NETWORKS
from serctl.train import card_tables
from serctl.train.card_tables import CORPUS_TERMS as CORPUS_TERMS
from serctl.train.card_tables import share_of
from serctl.train.measured import extent
from serctl.train.splits import NEW_SPEAKERS, REPORT

WIDTH = 100  # of lines in a card

WHAT_IT_IS = {
    "paper-svm": "The report's baseline: a linear support vector machine on the means, over the "
    "clip, of a mel spectrogram of {n_mels} bands and of {n_mfcc} MFCC.",
    "paper-rnn": "The report's dual network: one recurrent network over the frames of a mel "
    "spectrogram of {n_mels} bands, one over those of {n_mfcc} MFCC, joined by dense layers.",
    "paper-cnn": "The report's final network: convolutions over the means, over the clip, of a mel "
    "spectrogram of {n_mels} bands and of {n_mfcc} MFCC, in two branches, joined by dense layers.",
    "cnn": "Three residual networks of convolutions with attentive pooling, which learned apart and "
    "are heard together, on the log-mel spectrogram of {n_mels} bands, relative to the clip's mean "
    "power, so that gain does not matter.",
}

HOW_MANY = (
    "{weights} numbers were learned. It hears one of {n_emotions} emotions ({emotions}) in a "
    "recording of speech. {trained_in}Made by serctl:"
)

TRAINED_IN = {
    "float32": "It was trained in float32. ",
    "bfloat16": "It was trained in bfloat16, with weights in float32. ",
}

TERMS = (
    "These weights may be used for research and other non-commercial ends only: they are made from "
    "corpora whose terms say so. serctl's code is MIT; the weights are not."
)

SCORED = (
    "Split: {split}. {n_train} clips trained, {n_validation} chose {chosen}, and {n_test} were scored "
    "once, at the end."
)
SCORED_BEFORE = {
    "paper-cnn": "Two earlier recipes of this model were scored on the same test clips.",
    "cnn": "Five earlier recipes of this model were scored on fold 0 of `new-speakers`, three of them "
    "by `report` too. What one of them lost in noise on fold 0's test clips is why its successors "
    "hear more damaged clips in training, so that noise there is no untouched test "
    "(train/results/experiments.md).",
}
HEADLINE = (
    "**UA {ua}** (unweighted accuracy, the mean of the recalls below), WA {wa:.1%} (share of clips "
    "that are right). Chance is {chance:.1%}. In brackets, here and below: 95% of what clips drawn "
    "anew would give (bootstrap). The clips of one speaker are alike, so that other speakers may be "
    "farther off. To check it, with FOLDER for the folder of this card and CORPORA for that of the "
    "corpora:"
)
HEARD = {
    "report": "random by clip: who is tested was heard in training too",
    "new-speakers": "nobody who is tested was heard in training",
}
HEARD_EMOBOX = "EmoBox's, one corpus by itself"

PROTOCOLS = "The same recipe by each protocol, trained anew for each seed or fold:"
BY_CORPUS = "UA by corpus, the mean over the runs that test clips of it:"
EMOBOX = (
    "By EmoBox's protocol, each corpus by itself with all its emotions, trained on that corpus's "
    "training part, beside what EmoBox published (arXiv 2406.07162, table 4) of frozen encoders "
    "that were trained on much other speech. CREMA-D's and TESS's test speakers are in the training "
    "parts too; RAVDESS's and SAVEE's are not."
)
GROUPS = (
    "Test clips of {folds} of `new-speakers`, with sex and age as the corpora list them. Age is "
    "known of CREMA-D's actors and of TESS's two women. A group of few speakers says little. Race, "
    "ethnicity and accent were not looked at."
)
ROBUSTNESS = (
    "These weights on the {n_clips} clips of fold 0 that act one of {n_emotions} emotions, made worse "
    "by program. Noise is as strong as the clip, by its power over the whole clip, or so many "
    "decibels below it; a voice of babble is another speaker of fold 0. Made by:"
)
CALIBRATION = (
    "The confidence of an answer is a softmax, whose temperature ({temperature:.2f}) was fitted on "
    "the validation clips."
)
ECE = (
    "Over the {n_clips} test clips of {folds} of `new-speakers` that got an answer; ECE is the "
    "expected calibration error, in 15 bins of confidence. It holds for clips like these."
)

LIMITS = (
    "Everyone in these corpora is an actor who was asked for an emotion, in short English sentences "
    "recorded in a quiet room. Speech of daily life, other languages and children were not heard in "
    "training; noise, rooms and phone lines were at most imitated. Accuracy on them is not known. "
    "Expect it to be lower.",
    "The corpora that are tested above are those that were learned from. Another corpus costs far more "
    "than another voice, also where it is acted and in English, and confidence is too high there: see "
    "corpora that were not heard, in train/results/experiments.md.",
    "It hears how an emotion is acted, not what a person feels. Listeners who heard only the voice in "
    "CREMA-D named the acted emotion in 40% of their judgements, choosing between six.",
    "It is not equally good on all: accuracy differs between corpora, emotions and people, and the "
    "121 speakers are no sample of any population.",
    "It always names one of its emotions, also for speech with none, for music and for noise.",
    "A recording shorter than {min_duration_s} s is not classified. One longer than {window_s:.0f} s "
    "is classified in windows of that length, whose probabilities are averaged: changes within it "
    "are lost.",
)

NOT_TO_BE_USED = (
    "For any decision about a person, and not to judge, rank or watch people, one by one or in "
    "crowds. Not without the knowledge of those who are heard. Least of all:"
)
USES = (
    "to hire, promote, dismiss, grade, admit, lend or insure;",
    "to police, to guard borders, to judge, or to find lies or intent;",
    "to diagnose or treat, in body or mind, or to say who needs help;",
    "to watch employees, pupils, callers, customers or crowds.",
)
LAW = (
    "In the European Union, Article 5(1)(f) of Regulation (EU) 2024/1689 (the AI Act) forbids AI "
    "systems that infer emotions of people at the workplace or in education, except for medical or "
    "safety reasons; these weights are made for neither. Where emotion recognition is "
    "allowed, it may count as high-risk there (Annex III), and those who are exposed to it are to be "
    "told (Article 50(3)). Other laws may apply, there and elsewhere; this is no legal advice."
)


def card_text(
    config: ModelConfig, metrics: dict[str, Any], results: dict[str, Any] | None = None
) -> str:
    """Text of ``card.md``.

    Parameters
    ----------
    config : ModelConfig
        Of the model.
    metrics : dict
        As ``metrics.json`` holds it.
    results : dict, optional
        As `serctl.train.measured.read_results` gives it for a bundled model: its protocols, and
        ``robustness`` (left out if it is of other weights), ``groups`` and ``calibration``.

    Returns
    -------
    str
        Markdown.
    """
    results = results or {}
    blocks = [
        *_what_it_is(config, metrics),
        "## Terms",
        _filled(TERMS),
        card_tables.terms(),
        *_how_good_it_is(config, metrics),
        *_protocols(results),
        *_section("By sex and age", GROUPS, card_tables.groups(results), folds=_folds(results)),
        *_robustness(config, results),
        *_calibration(config, results),
        "## Limits",
        _list(LIMITS, min_duration_s=config.min_duration_s, window_s=config.window_s),
        "## Not to be used",
        _filled(NOT_TO_BE_USED),
        _list(USES),
        _filled(LAW),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _what_it_is(config: ModelConfig, metrics: dict[str, Any]) -> list[str]:
    with torch.device("meta"):  # shapes alone
        network = NETWORKS[config.network](len(config.emotions))
    n_weights = sum(weights.numel() for weights in network.parameters())
    spec = config.features
    what = WHAT_IT_IS[config.network].format(n_mels=spec.n_mels, n_mfcc=spec.n_mfcc)
    how_many = HOW_MANY.format(
        weights=f"{n_weights:,}".replace(",", " "),
        n_emotions=len(config.emotions),
        emotions=", ".join(config.emotions),
        trained_in=_trained_in(metrics),
    )
    return [f"# {config.name}", _filled(f"{what} {how_many}"), f"    {metrics['command']}"]


def _trained_in(metrics: dict[str, Any]) -> str:
    """Sentence on the precision; none for an SVM."""
    # The recipe's, before it depended on the processor.
    asked = metrics["recipe"].get("training", {}).get("precision")
    precision = metrics.get("made_with", {}).get("precision", asked)
    return TRAINED_IN[precision] if precision else ""


def _how_good_it_is(config: ModelConfig, metrics: dict[str, Any]) -> list[str]:
    test, split = metrics["test"], metrics["split"]
    where = f"seed {metrics['seed']}" if split == "report" else f"fold {metrics['fold']}"
    recipe = metrics["recipe"]
    chosen = "C and the temperature" if "svm" in recipe else "the temperature"
    if recipe.get("training", {}).get("schedule") == "constant":
        chosen = "the epoch that is kept and the temperature"
    scored = SCORED.format(
        split=f"`{split}`, {where} ({HEARD.get(split, HEARD_EMOBOX)})",
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
        "## How good it is",
        _filled(f"{scored} {before}".rstrip()),
        _filled(headline),
        f"    serctl evaluate --model FOLDER --corpora CORPORA --split {split} --{where}",
        card_tables.by_corpus(test),
        card_tables.by_emotion(test),
        card_tables.confusion(test),
    ]


def _protocols(results: dict[str, Any]) -> list[str]:
    of_all, by_corpus = card_tables.protocols(results), card_tables.protocols_by_corpus(results)
    emobox = card_tables.emobox(results)
    return [
        "## By every protocol" if of_all or emobox else "",
        *((_filled(PROTOCOLS), of_all, _filled(BY_CORPUS), by_corpus) if of_all else ()),
        *((_filled(EMOBOX), emobox) if emobox else ()),
    ]


def _robustness(config: ModelConfig, results: dict[str, Any]) -> list[str]:
    measured = results.get("robustness")
    if measured is None or measured["sha256"] != config.sha256:
        return []
    numbers = {"n_clips": measured["n_clips"], "n_emotions": len(measured["emotions"])}
    return [
        "## In noise, on the phone, in part",
        _filled(ROBUSTNESS.format(**numbers)),
        f"    {measured['command']}",
        card_tables.robustness(measured),
    ]


def _calibration(config: ModelConfig, results: dict[str, Any]) -> list[str]:
    text = CALIBRATION.format(temperature=config.temperature)
    measured = results.get("calibration")
    if measured is None:
        return ["## How sure it is", _filled(text)]
    text += " " + ECE.format(n_clips=measured["after"]["n_clips"], folds=_folds(results))
    picture = f"../../train/results/{config.name}-new-speakers-reliability.png"
    return [
        "## How sure it is",
        _filled(text),
        card_tables.calibration(results),
        f"![Share of right answers by confidence]({picture})",
    ]


def _folds(results: dict[str, Any]) -> str:
    """How many folds of `new-speakers` were measured."""
    summary = results.get(NEW_SPEAKERS)
    return (extent(summary, NEW_SPEAKERS) if summary is not None else "") or "all folds"


def _section(title: str, text: str, table: str, **numbers: Any) -> list[str]:
    """A heading, a paragraph and a table; nothing without the table."""
    return [f"## {title}", _filled(text.format(**numbers)), table] if table else []


def _list(items: tuple[str, ...], **numbers: Any) -> str:
    return "\n".join(
        textwrap.indent(_filled(item.format(**numbers), WIDTH - 2), "  ").replace(" ", "-", 1)
        for item in items
    )


def _filled(text: str, width: int = WIDTH) -> str:
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)
