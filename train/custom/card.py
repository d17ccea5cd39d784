"""The card of a user's own model: what it learned from how many of whom, and how good that is."""

from collections import Counter
from typing import Any

from serctl.models.config import ModelConfig
from serctl.text import count, escape_markdown, markdown_table
from serctl.train.custom.folds import Folds
from serctl.train.custom.recordings import OwnRecordings
from serctl.train.documents import card_tables
from serctl.train.documents.card import LAW, NOT_TO_BE_USED, USES, filled, listed
from serctl.train.documents.card_tables import share_of
from serctl.train.evaluation.scores import Calibration, Scores

MAX_SKIPPED_SHOWN = 20

WHAT = (
    "A model for {labels}. It starts from `{start}` and keeps all of its layers but the last, which "
    "was learned anew from the recordings below. It takes what `{start}` takes: windows of up to "
    "{window_s:.0f} s."
)
LEARNED = "{recordings} of {labels}{speakers}."
HONEST = (
    "By cross-validation, {folds}. Each recording was classified by a model that did not learn its "
    "{by}; the model in this folder learned all of them, and there is no other test of it."
)
HEADLINE = (
    "**UA {ua}** (unweighted accuracy, the mean of the recalls below), WA {wa:.1%} (the share of "
    "recordings that are right). Chance is {chance:.1%}. In brackets: 95% confidence intervals "
    "(bootstrap over recordings); recordings of one speaker are alike, so intervals for new speakers "
    "are wider."
)
GAIN = "`{start}` as it was, without these recordings, has UA {before:.1%} on them: {gain:+.1f} points."
NO_GAIN = "The recordings did not help: use `{start}` itself, or add recordings of more speakers."
UNKNOWN = (
    "`{start}` does not know all of these labels, so that there is no figure without training."
)
CALIBRATED = (
    "Confidence is the highest softmax probability, with a temperature ({temperature:.2f}) fitted on "
    "the same cross-validation. There, its mean is {confidence:.1%}, and {accuracy:.1%} are right (ECE "
    "{ece:.1%})."
)
LIMITS = (
    "It always predicts one of its labels, also for recordings that have none of them.",
    "The figures hold for recordings like these: the same kind of speakers, rooms, microphones and "
    "language. Label a sample of any others, and run `serctl evaluate`.",
    "What `{start}` learned before, with its own limits and terms, is in this model too: read its card.",
)


def card_text(
    config: ModelConfig,
    own: OwnRecordings,
    folds: Folds,
    figures: tuple[Scores, Calibration, Scores | None],
    facts: dict[str, Any],
) -> str:
    """Text of ``card.md``.

    Parameters
    ----------
    config : ModelConfig
        Of the model.
    own : OwnRecordings
        What it learned.
    folds : Folds
        Of the cross-validation.
    figures : tuple
        Its scores and calibration, and the scores of the model to start from, or None.
    facts : dict
        ``command``, ``start``, ``skipped`` (paths with reasons), ``warnings`` and ``n_corpora`` (clips
        of the four corpora that were learned too).

    Returns
    -------
    str
        Markdown.
    """
    scores, calibration, before = figures
    what = WHAT.format(
        labels=", ".join(config.emotions), start=facts["start"], window_s=config.window_s
    )
    blocks = [
        f"# {escape_markdown(config.name)}",
        filled(what),
        f"    {facts['command']}",
        "## What it learned",
        *_learned(own, facts),
        *(["## Warnings", listed(facts["warnings"])] if facts["warnings"] else []),
        "## Accuracy",
        *_accuracy(folds, scores, before, facts["start"]),
        "## Calibration",
        filled(
            CALIBRATED.format(
                temperature=config.temperature,
                confidence=calibration.confidence,
                accuracy=calibration.accuracy,
                ece=calibration.ece,
            )
        ),
        "## Limits",
        listed(LIMITS, start=facts["start"]),
        "## Do not use it",
        filled(NOT_TO_BE_USED),
        listed(USES),
        filled(LAW),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _learned(own: OwnRecordings, facts: dict[str, Any]) -> list[str]:
    """How many recordings of which labels and speakers."""
    labels = Counter(one.name for one in own.recordings)
    speakers = Counter(one.speaker for one in own.recordings if one.speaker)
    pairs = {(one.name, one.speaker) for one in own.recordings if one.speaker}
    rows = [
        (label, str(labels[label]), str(sum(name == label for name, _ in pairs)) if pairs else "")
        for label in own.labels
    ]
    sentence = LEARNED.format(
        recordings=count(len(own.recordings), "recording"),
        labels=count(len(own.labels), "label"),
        speakers=f" by {count(len(speakers), 'speaker')} (from {own.speakers_from})"
        if speakers
        else "; who speaks is not known",
    )
    if facts["n_corpora"]:
        sentence += (
            f" Beside them, {facts['n_corpora']} clips of CREMA-D, RAVDESS, SAVEE and TESS, outside "
            "fold 0: read their terms on the card of `cnn`."
        )
    blocks = [filled(sentence), markdown_table(("label", "recordings", "speakers"), rows)]
    if own.notes:
        blocks.append(filled(escape_markdown(" ".join(own.notes))))
    if own.left_out:
        reasons = [f"{n}: {escape_markdown(reason)}" for reason, n in own.left_out.items()]
        blocks += ["Left out:", listed(reasons)]
    if skipped := facts["skipped"]:
        shown = [f"{escape_markdown(f'{path}: {reason}')}" for path, reason in skipped]
        more = len(shown) - MAX_SKIPPED_SHOWN
        shown = [*shown[:MAX_SKIPPED_SHOWN], *([f"and {more} more"] if more > 0 else [])]
        blocks += ["Could not be used:", listed(shown)]
    return blocks


def _accuracy(folds: Folds, scores: Scores, before: Scores | None, start: str) -> list[str]:
    """Figures of the cross-validation, beside those of the model to start from."""
    headline = HEADLINE.format(
        ua=share_of(scores.ua, scores.intervals["ua"]),
        wa=scores.wa,
        chance=1 / len(scores.emotions),
    )
    gain = UNKNOWN.format(start=start)
    if before is not None:
        points = 100 * (scores.ua - before.ua)
        gain = GAIN.format(start=start, before=before.ua, gain=points)
        if points <= 0:
            gain += " " + NO_GAIN.format(start=start)
    blocks = [
        filled(HONEST.format(folds=folds, by=folds.by)),
        filled(headline),
        filled(gain),
        card_tables.by_emotion({"by_emotion": scores.by_emotion}),
        card_tables.confusion({"emotions": scores.emotions, "confusion": scores.confusion}),
    ]
    if scores.by_speaker:
        rows = [
            (escape_markdown(name), f"{one['n_clips']}", share_of(one["wa"]), share_of(one["ua"]))
            for name, one in scores.by_speaker.items()
        ]
        blocks.append(markdown_table(("speaker", "recordings", "WA", "UA"), rows))
    return blocks
