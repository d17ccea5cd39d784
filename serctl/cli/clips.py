"""``serctl clips``: cut segments out of their recordings, to listen to them."""

import click

EXAMPLES = """\b
Examples:
  serctl clips --emotion angry --top 20 -o moments
  serctl clips calls.csv --pad-s 2 -o moments
"""


@click.command(epilog=EXAMPLES)
@click.argument("results", nargs=-1, type=click.Path())
@click.option("--emotion", metavar="NAME", help="Only segments of this emotion.")
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Number of segments, the most probable first.",
)
@click.option(
    "--pad-s",
    type=click.FloatRange(0, 60),
    default=0.5,
    show_default=True,
    help="Seconds before and after each.",
)
@click.option("-o", "--output", required=True, metavar="DIR", help="Folder for the WAV files.")
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
def clips(
    results: tuple[str, ...],
    emotion: str | None,
    top: int,
    pad_s: float,
    output: str,
    overwrite: bool,
) -> None:
    """Cut the most probable segments to WAV files.

    RESULTS are files of serctl classify, with their segments files beside them, or folders of them;
    the default is serctl-results.csv. A label is a guess, and no evidence of anything: listen.
    """
    from serctl.cli.report import DEFAULT_RESULTS
    from serctl.cli.terminal.moments import read_segments_of
    from serctl.engine.workers.cutting import cut_isolated
    from serctl.reports.moments import find_moments
    from serctl.results.shards.finding import find_results
    from serctl.text import count, printable
    from serctl.timeline.clips import write_clips

    emotions, segments = read_segments_of(find_results(results or (DEFAULT_RESULTS,)))
    moments = find_moments(segments, emotions, top, emotion)
    found = [moment.segment for moment in moments]
    written = write_clips(found, output, pad_s, overwrite, cut_isolated)
    click.echo(f"{count(len(written), 'clip')} in {printable(output)}")
