"""``serctl models``: the bundled models, and the card of one."""

import click

from serctl.cli.completion import complete_models

EXAMPLES = """\b
Examples:
  serctl models
  serctl models whisper
  serctl models ./my-model
"""


@click.command(epilog=EXAMPLES)
@click.argument("name", required=False, shell_complete=complete_models)
def models(name: str | None) -> None:
    """List the bundled models, or show the card of one.

    Without NAME, prints a table: emotions, size, accuracy and speed of every model. With the NAME of
    a model, or a weights folder, prints its card: how it was trained, how good it is on whom, and
    what it must not be used for.
    """
    if name is not None:
        _print_card(name)
        return
    from serctl.cli.terminal.tables import plain_console, print_table
    from serctl.models.loading import DEFAULT_MODEL, LICENSE, describe_models

    print_table(
        plain_console(),
        "Models",
        ("Model", "Emotions", "New speakers", "Other corpora", "CPU ms", "MB"),
        (
            (
                model.name + (" (default)" if model.name == DEFAULT_MODEL else ""),
                str(len(model.emotions)),
                _percent(model.new_speakers_ua),
                _percent(model.cross_corpus_ua),
                "-" if model.cpu_ms is None else f"{model.cpu_ms:.1f}",
                f"{model.size_bytes / 1e6:.1f}",
            )
            for model in describe_models()
        ),
    )
    click.echo(
        "\nNew speakers: accuracy (UA) on speakers that are not in the training data, between all\n"
        "emotions of the model. Other corpora: on a corpus that is not in the training data,\n"
        "between five emotions; your recordings are like that. CPU ms: processor time for a clip\n"
        f"of 2.5 s. License of the weights: {LICENSE}. serctl models NAME shows the card."
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _print_card(name: str) -> None:
    from serctl.errors import ModelError
    from serctl.text import printable_lines
    from serctl.weights import find_model

    card = find_model(name) / "card.md"
    try:
        text = card.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise ModelError(
            f"{card}: cannot be read ({error}). A folder written by serctl train has a card."
        ) from error
    click.echo(printable_lines(text))
