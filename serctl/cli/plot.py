"""``serctl plot``: pictures of recordings."""

import click

EXAMPLES = """\b
Examples:
  serctl plot talk.wav
  serctl plot angry.wav sad.wav -o angry-and-sad.svg
"""


@click.command(epilog=EXAMPLES)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "-o",
    "--output",
    default="serctl-plot.png",
    show_default=True,
    metavar="PICTURE",
    help="Picture: .png or .svg.",
)
@click.option("--overwrite", is_flag=True, help="Replace PICTURE if there is one.")
def plot(files: tuple[str, ...], output: str, overwrite: bool) -> None:
    """Draw recordings side by side.

    Draws waveform, mel spectrogram and MFCC of up to six recordings, all on one scale of time,
    amplitude and colour, so that they can be compared.
    """
    from serctl.audio.scan import scan
    from serctl.cli.terminal.tables import plain_console
    from serctl.figures import check_picture, draw_recordings, save_figure
    from serctl.text import printable

    check_picture(output, overwrite)
    save_figure(draw_recordings(scan(files)), output)
    plain_console().print(f"Picture: {printable(output)}", soft_wrap=True)
