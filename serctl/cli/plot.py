"""``serctl plot``: figures of recordings."""

import click

from serctl.cli import options

EXAMPLES = """\b
Examples:
  serctl plot talk.wav
  serctl plot angry.wav sad.wav -o angry-and-sad.svg
  serctl plot ./calls --include 'monday-*.wav' -o monday.png
"""


@click.command(epilog=EXAMPLES)
@click.argument("paths", nargs=-1)
@options.SELECTION
@click.option(
    "-o",
    "--output",
    default="serctl-plot.png",
    show_default=True,
    metavar="IMAGE",
    help="Image file: .png or .svg.",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing image.")
def plot(
    paths: tuple[str, ...], selection: options.SelectionOptions, output: str, overwrite: bool
) -> int:
    """Plot recordings side by side.

    Plots waveform, mel spectrogram and MFCC of one to six recordings on the same scales, for
    comparison. PATHS are recordings and folders.
    """
    selection.require(paths)
    from serctl.cli.terminal.tables import plain_console
    from serctl.figures import check_figure, draw_recordings, save_figure
    from serctl.text import printable

    check_figure(output, overwrite)
    recordings, unlisted = selection.find(paths)
    save_figure(draw_recordings(recordings), output)
    plain_console().print(f"Figure: {printable(output)}", soft_wrap=True)
    options.warn_unlisted(unlisted)
    return 1 if unlisted else 0
