"""``serctl merge``: the results of shards in, one results file out."""

import click

from serctl.errors import UsageError

EXAMPLES = """\b
Examples:
  serctl merge shard-*.csv -o archive.csv
  serctl merge ./shards -o archive.csv
"""


@click.command(epilog=EXAMPLES)
@click.argument("shards", nargs=-1)
@click.option(
    "-o",
    "--output",
    default="serctl-results.csv",
    show_default=True,
    metavar="FILE",
    help="Results file: .csv, .json or .jsonl.",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing results file.")
def merge(shards: tuple[str, ...], output: str, overwrite: bool) -> int:
    """Merge the results of all shards into one file.

    SHARDS are the results files that serctl classify --shard wrote, or folders with them. The merged
    file is the same, byte for byte, as that of one run over all recordings.
    """
    if not shards:
        raise UsageError("no SHARDS: give the results files of all shards, or their folder.")
    from serctl.results.shards.merging import merge_shards
    from serctl.text import printable

    merged = merge_shards(shards, output, overwrite)
    n_recordings = sum(shard.record["n_found"] for shard in merged)
    statuses = {status for shard in merged for status, n in shard.record["counts"].items() if n}
    click.echo(f"{len(merged)} shards, {n_recordings} recordings, written to {printable(output)}.")
    return 1 if statuses & {"unreadable", "failed"} else 0
