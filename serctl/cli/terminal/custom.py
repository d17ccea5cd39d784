"""What ``serctl train --data`` prints."""

from collections import Counter
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from serctl.train.custom.training import Outcome

MAX_SKIPPED_SHOWN = 10


def print_outcome(outcome: "Outcome", start: str, output: str) -> None:
    """Print what was learned, how good it is, beside the model before, and warnings.

    Parameters
    ----------
    outcome : Outcome
        Of the training.
    start : str
        Model that it started from.
    output : str
        The weights folder.
    """
    from serctl.cli.terminal.scores import print_scores
    from serctl.text import count, printable

    own, scores, before = outcome.own, outcome.scores, outcome.before
    counts = Counter(one.name for one in own.recordings)
    speakers = {one.speaker for one in own.recordings if one.speaker}
    who = f", {count(len(speakers), 'speaker')} (from {own.speakers_from})" if speakers else ""
    click.echo(printable(f"Learned: {count(len(own.recordings), 'recording')}{who}"))
    click.echo(", ".join(f"{label} {counts[label]}" for label in own.labels))
    click.echo()
    print_scores(scores, f"Cross-validation, {outcome.folds}", outcome.calibration, noun="label")
    click.echo()
    if before is not None:
        gain = 100 * (scores.ua - before.ua)
        click.echo(
            f"Without training, {printable(start)} has UA {before.ua:.1%} on these recordings; with "
            f"it, {scores.ua:.1%}: {gain:+.1f} points."
        )
    for note in own.notes:
        click.echo(printable(note))
    for reason, n in own.left_out.items():
        click.echo(f"Left out: {count(n, 'recording')}: {printable(reason)}.")
    for warning in outcome.warnings:
        click.echo(f"Warning: {printable(warning)}", err=True)
    if outcome.skipped:
        click.echo(f"{count(len(outcome.skipped), 'recording')} could not be used:", err=True)
        for path, reason in outcome.skipped[:MAX_SKIPPED_SHOWN]:
            click.echo(printable(f"  {path}: {reason}"), err=True)
        if (n_more := len(outcome.skipped) - MAX_SKIPPED_SHOWN) > 0:
            click.echo(f"  and {n_more} more; {printable(output)}/card.md names them", err=True)
    click.echo(f"Weights: {output}")
    click.echo(f"Use them: serctl classify RECORDINGS --model {printable(output)}")
