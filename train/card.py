"""The model card: what a model is, how good it is and on whom, and what it must not be used for."""

from typing import Any

from serctl.models import ModelConfig
from serctl.train.corpora import CORPORA

CORPUS_TERMS = {
    "crema-d": ("CREMA-D", "91 actors, US English", "ODbL 1.0, contents DbCL 1.0"),
    "ravdess": ("RAVDESS (speech)", "24 actors, North American English", "CC BY-NC-SA 4.0"),
    "savee": ("SAVEE", "4 men, British English", "research use, by registration"),
    "tess": ("TESS", "2 women, Canadian English", "CC BY-NC-ND 4.0"),
}

CARD = """\
# {name}

Hears one of {n_emotions} emotions ({emotions}) in a recording of speech. Made by serctl:

    {command}

## Terms

These weights may be used for research and other non-commercial ends only: they are made from
corpora whose terms say so. serctl's code is MIT; the weights are not.

| corpus | speakers | terms |
| --- | --- | --- |
{corpora}

## How good it is

Split: {split}.
{n_train} clips trained, {n_validation} chose the epoch and the calibration, and {n_test} were scored
once, at the end.

**UA {ua:.1%}** (unweighted accuracy, the mean of the recalls below), WA {wa:.1%} (share of clips
that are right). Chance is {chance:.1%}. To check it, with FOLDER for the folder of this card and
CORPORA for that of the corpora:

    serctl evaluate --model FOLDER --corpora CORPORA --split {check}

| corpus | clips | WA | UA |
| --- | --- | --- | --- |
{by_corpus}

| emotion | clips | recall | precision |
| --- | --- | --- | --- |
{by_emotion}
{protocols}
The confidence of an answer is a softmax, whose temperature ({temperature:.2f}) was fitted on the
validation clips.

## Limits

- Everyone in these corpora is an actor who was asked for an emotion, mostly in short English
  sentences recorded in a quiet room. Speech of daily life, other languages, children, phone lines
  and noise were not heard in training, and accuracy on them is not known. Expect it to be lower.
- It hears how an emotion is acted, not what a person feels. Listeners who heard only the voice in
  CREMA-D named the acted emotion in 40% of their judgements, choosing between six.
- It always names one of its emotions, also for speech with none, for music and for noise.
- A recording shorter than {min_duration_s} s is not classified. One longer than {window_s:.0f} s is
  classified in windows of that length, whose probabilities are averaged: changes within it are lost.

## Not to be used

To judge, rank, hire, police, diagnose, insure or watch people, one by one or in crowds, or for any
decision about a person. Not without the knowledge of those who are heard.
"""

HEARD_BEFORE = "random by clip: who is tested was heard in training too"

PROTOCOLS = """
The same recipe by both protocols, trained anew for each seed or fold:

| protocol | runs | UA | lowest, highest | WA |
| --- | --- | --- | --- | --- |
{rows}
"""

PROTOCOL_NAMES = {
    "report": "`report`: random by clip, speakers on both sides",
    "new-speakers": "`new-speakers`: nobody tested was heard",
}


def card_text(
    config: ModelConfig, metrics: dict[str, Any], protocols: dict[str, Any] | None = None
) -> str:
    """Text of ``card.md``.

    Parameters
    ----------
    config : ModelConfig
        Of the model.
    metrics : dict
        As ``metrics.json`` holds it.
    protocols : dict, optional
        As `serctl.train.protocols.run_protocols` gives it.

    Returns
    -------
    str
        Markdown.
    """
    test = metrics["test"]
    new_speakers = metrics["split"] == "new-speakers"
    where = f"fold {metrics['fold']}" if new_speakers else f"seed {metrics['seed']}"
    heard = "nobody who is tested was heard in training" if new_speakers else HEARD_BEFORE
    return CARD.format(
        name=config.name,
        n_emotions=len(config.emotions),
        emotions=", ".join(config.emotions),
        command=metrics["command"],
        corpora="\n".join("| " + " | ".join(CORPUS_TERMS[corpus]) + " |" for corpus in CORPORA),
        split=f"`{metrics['split']}`, {where} ({heard})",
        n_train=metrics["n_train"],
        n_validation=metrics["n_validation"],
        n_test=test["n_clips"],
        ua=test["ua"],
        wa=test["wa"],
        chance=1 / len(config.emotions),
        check=f"{metrics['split']} --{where}",
        by_corpus="\n".join(
            f"| {CORPUS_TERMS[corpus][0]} | {s['n_clips']} | {s['wa']:.1%} | {s['ua']:.1%} |"
            for corpus, s in test["by_corpus"].items()
        ),
        by_emotion="\n".join(
            f"| {emotion} | {s['n_clips']} | {s['recall']:.1%} | {s['precision']:.1%} |"
            for emotion, s in test["by_emotion"].items()
        ),
        protocols=_protocol_table(protocols) if protocols else "",
        temperature=config.temperature,
        min_duration_s=config.min_duration_s,
        window_s=config.window_s,
    )


def _protocol_table(protocols: dict[str, Any]) -> str:
    rows = "\n".join(
        f"| {name} | {len(protocols[split]['runs'])} | {protocols[split]['ua']:.1%} "
        f"| {protocols[split]['ua_lowest']:.1%}, {protocols[split]['ua_highest']:.1%} "
        f"| {protocols[split]['wa']:.1%} |"
        for split, name in PROTOCOL_NAMES.items()
    )
    return PROTOCOLS.format(rows=rows)
