"""Recordings of known emotion, to score a model on, and what is to be said of its scores.

`known_recordings` keeps the recordings that a model can be scored on, of labels from any source, and
counts the rest, with the reasons in words; `recordings_of_split` takes the test part of a split
instead. Every recording counts once, and one without a prediction counts as wrong.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from serctl.emotions import map_to_known
from serctl.errors import LabelsError, RunError
from serctl.results.schema import Result
from serctl.text import count
from serctl.train.corpora.manifest import clip_table
from serctl.train.corpora.splits import clips_of, emotions_of, split_clips
from serctl.train.evaluation.label_names import EmotionNames
from serctl.train.evaluation.labels import Labelled, Labels
from serctl.train.evaluation.scores import Calibration, Scores, calibration, score
from serctl.train.evaluation.synonyms import LEFT_OUT

MAX_CONFLICTS_SHOWN = 3


@dataclass(frozen=True)
class LabelledRecordings:
    """Recordings whose emotion is known, and known to the model.

    Attributes
    ----------
    source : str
        Where they and their labels are from, for messages.
    paths, references, corpora, speakers : list of str [n]
        Path, label, corpus and speaker of each; the last two empty where they are not known.
    emotions : tuple of str
        What the model is to choose between, in its order.
    left_out : dict
        From a reason in words to the number of recordings that are left out for it; none is 0.
    notes, warnings : list of str
        In words: how labels were understood, and what makes the figures mean less.
    folds : list of str [n]
        Fold of each, empty where it is not known; or an empty list.
    """

    source: str
    paths: list[str]
    references: list[str]
    corpora: list[str]
    speakers: list[str]
    emotions: tuple[str, ...]
    left_out: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    folds: list[str] = field(default_factory=list)

    def score(self, results: Sequence[Result]) -> Scores:
        """Score the results of all of them, in their order."""
        predictions = [result.emotion for result in results]
        return score(self.references, predictions, self.corpora, self.emotions, self.speakers)

    def calibration(self, results: Sequence[Result]) -> Calibration:
        """Calibration of those of the results, in their order, that have a prediction.

        Raises
        ------
        RunError
            If none has.
        """
        predicted = [i for i, result in enumerate(results) if result.status == "ok"]
        if not predicted:
            counts = Counter(result.status for result in results)
            said = ", ".join(f"{n} {status}" for status, n in counts.items())
            raise RunError(
                f"{self.source}: none of {len(results)} recordings has a prediction ({said}), such as "
                f"{results[0].path}: {results[0].reason} At least one is needed to score a model."
            )
        probabilities = np.array([results[i].probabilities for i in predicted])
        return calibration(probabilities, [self.references[i] for i in predicted], self.emotions)


def known_recordings(
    labels: Labels,
    names: EmotionNames,
    known: Sequence[str],
    chosen: Sequence[str] = (),
    model: str = "the model",
) -> LabelledRecordings:
    """Those of labelled recordings that a model can be scored on.

    Parameters
    ----------
    labels : Labels
        From any source.
    names : EmotionNames
        Which emotions its names stand for; names that stand for none are left out.
    known : sequence of str
        Emotions of the model; of several, those that all of them know.
    chosen : sequence of str, optional
        Some of the model's emotions, to which it and the recordings are restricted. Without it, the
        model chooses between those of its emotions that are among the labels.
    model : str
        Its name, for messages.

    Raises
    ------
    LabelsError
        If fewer than two of the model's emotions are there, or a recording has two labels.
    """
    meant = [map_to_known(names.emotion(one.name), known) for one in labels.recordings]
    kept = each_once(labels, meant)
    left_out = dict(labels.left_out)
    left_out["copies, which count once"] = len(meant) - len(kept)
    left_out["--map leaves them out"] = sum(meant[i] == LEFT_OUT for i in kept)
    kept = [i for i in kept if meant[i] != LEFT_OUT]
    foreign = Counter(meant[i] or labels.recordings[i].name for i in kept if meant[i] not in known)
    left_out[f"{model} does not know their emotions{_listed(foreign)}"] = foreign.total()
    kept = [i for i in kept if meant[i] in known]
    unwanted = Counter(meant[i] for i in kept if chosen and meant[i] not in chosen)
    left_out[f"--emotions leaves out theirs{_listed(unwanted)}"] = unwanted.total()
    kept = [i for i in kept if meant[i] not in unwanted]
    recordings, references = [labels.recordings[i] for i in kept], [meant[i] for i in kept]
    unused = names.unused([one.name for one in labels.recordings])
    unused_warning = (
        [f"--map names {', '.join(unused)}, and no label is so named."] if unused else []
    )
    return LabelledRecordings(
        source=labels.source,
        paths=[one.path for one in recordings],
        references=references,
        corpora=[one.corpus for one in recordings],
        speakers=_speakers(recordings),
        emotions=_to_choose_between(references, known, chosen, labels.source, left_out),
        left_out={reason: n for reason, n in left_out.items() if n},
        notes=_notes(recordings, references, foreign, model),
        warnings=labels.warnings + unused_warning,
        folds=[one.fold for one in recordings],
    )


def recordings_of_split(
    corpora: str,
    split: str,
    fold: int,
    seed: int,
    known: Sequence[str],
    chosen: Sequence[str] = (),
) -> LabelledRecordings:
    """Test part of a split, over the emotions that a model knows.

    Parameters
    ----------
    corpora : str
        Folder of the four corpora.
    split, fold, seed
        As `serctl.train.corpora.splits.split_clips` takes them.
    known, chosen : sequence of str
        The model's emotions, and those of them to which it is restricted, if it is.

    Raises
    ------
    UsageError
        If there is no such split or fold.
    CorporaError
        If the corpora are not there, whole.
    LabelsError
        If fewer than two of the emotions are there.
    """
    whole = clip_table(corpora)
    table = clips_of(whole, [one for one in emotions_of(split, whole, known) if one in known])
    whole = whole.assign(emotion=[map_to_known(emotion, known) for emotion in whole["emotion"]])
    test = table.iloc[split_clips(table, split, fold, seed).test]
    foreign: Counter[str] = Counter()
    if split != "report":  # which is drawn from clips of the emotions in use alone
        tested = whole["emotion"].iloc[split_clips(whole, split, fold, seed).test]
        foreign = Counter(emotion for emotion in tested if emotion not in known)
    unwanted = Counter(emotion for emotion in test["emotion"] if chosen and emotion not in chosen)
    test = test[~test["emotion"].isin(unwanted)]
    left_out = {
        f"the model does not know their emotions{_listed(foreign)}": foreign.total(),
        f"--emotions leaves out theirs{_listed(unwanted)}": unwanted.total(),
    }
    references = test["emotion"].tolist()
    which = "" if split == "report" else str(fold)  # the report's split has no folds
    return LabelledRecordings(
        source=corpora,
        paths=test["path"].tolist(),
        references=references,
        corpora=test["corpus"].tolist(),
        speakers=test["speaker"].tolist(),
        emotions=_to_choose_between(references, known, chosen, corpora, left_out),
        left_out={reason: n for reason, n in left_out.items() if n},
        folds=[which] * len(references),
    )


def each_once(labels: Labels, meant: Sequence[str]) -> list[int]:
    """Places of the first of all copies of each recording; LabelsError if copies differ."""
    first: dict[str, int] = {}
    conflicts = []
    for i, one in enumerate(labels.recordings):
        before = first.setdefault(one.key, i)
        if meant[before] != meant[i]:
            conflicts.append((labels.recordings[before], one))
    if conflicts:
        shown = "; ".join(
            f"{a.path} is {a.name} ({a.where or a.path}) and {b.name} ({b.where or b.path})"
            for a, b in conflicts[:MAX_CONFLICTS_SHOWN]
        )
        n_more = len(conflicts) - MAX_CONFLICTS_SHOWN
        more = f"; and {n_more} more" if n_more > 0 else ""
        raise LabelsError(
            f"{labels.source}: {count(len(conflicts), 'recording')} with two labels: {shown}{more}. "
            "Keep the one that is right."
        )
    return list(first.values())


def _to_choose_between(
    references: Sequence[str],
    known: Sequence[str],
    chosen: Sequence[str],
    source: str,
    left_out: Mapping[str, int],
) -> tuple[str, ...]:
    """Emotions that were chosen, or else those of the references, in the model's order; at least two."""
    there = tuple(emotion for emotion in known if emotion in references)
    if len(there) < 2:
        reasons = "".join(f" Left out: {n}: {reason}." for reason, n in left_out.items() if n)
        raise LabelsError(
            f"{source}: {count(len(references), 'clip')} of the emotions to choose between, only "
            f"{', '.join(there) or 'none'}; to score a model, at least two of "
            f"{', '.join(chosen or known)} are needed.{reasons}"
        )
    return tuple(emotion for emotion in known if emotion in chosen) if chosen else there


def _speakers(recordings: Sequence[Labelled]) -> list[str]:
    """Speakers, with their corpus where two corpora have one of the same name."""
    named = {(one.corpus, one.speaker) for one in recordings if one.speaker}
    if len(named) == len({speaker for _, speaker in named}):
        return [one.speaker for one in recordings]
    return [f"{one.corpus}/{one.speaker}" if one.speaker else "" for one in recordings]


def _notes(
    recordings: Sequence[Labelled], references: Sequence[str], foreign: Counter[str], model: str
) -> list[str]:
    """Say which names count as another emotion, and what becomes of emotions that are left out."""
    counts = Counter(
        f"{one.name} as {emotion}"
        for one, emotion in zip(recordings, references, strict=True)
        if one.name.strip().lower() != emotion
    )
    notes = []
    if counts:
        notes.append(f"Counted: {', '.join(f'{what} ({n})' for what, n in counts.items())}.")
    if foreign:
        notes.append(
            f"{model} has no {', '.join(foreign)}: it names one of its own emotions for such "
            "recordings, and is not scored on them."
        )
    return notes


def _listed(counts: Counter[str]) -> str:
    """`` (202 neutral, 200 surprise)``, the most frequent first."""
    return f" ({', '.join(f'{n} {name}' for name, n in counts.most_common())})" if counts else ""
