"""``serctl scan``: folders in, a manifest of the recordings in them out."""

import click

from serctl.cli import options

EXAMPLES = """\b
Examples:
  serctl scan ./archive -o manifest.csv
  serctl scan s3://bucket/archive -o manifest.csv
  serctl classify --files-from manifest.csv --shard 1/8 -o shard-1.csv
  serctl merge shard-*.csv -o archive.csv
"""


@click.command(epilog=EXAMPLES)
@click.argument("paths", nargs=-1)
@options.SELECTION
@click.option(
    "-o",
    "--output",
    default="manifest.csv",
    show_default=True,
    metavar="FILE",
    help="Manifest to write.",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing manifest.")
def scan(
    paths: tuple[str, ...], selection: options.SelectionOptions, output: str, overwrite: bool
) -> int:
    """List the recordings in folders, for several machines.

    Writes a manifest: the path, size and id of every recording that serctl classify would read.
    """
    selection.require(paths)
    from serctl.audio.scan import check_paths
    from serctl.files.manifest import manifest_bytes, sizes_of
    from serctl.files.outputs import atomic_write, check_output, lock_output
    from serctl.text import printable

    check_paths(paths)
    check_output(output, (".csv",), overwrite)
    click.get_current_context().with_resource(lock_output(output))
    recordings, unlisted = selection.find(paths)
    scanned = sizes_of(recordings)
    with atomic_write(output) as partial, open(partial, "wb") as file:
        file.write(manifest_bytes(scanned))
    n_bytes = sum(one.size_bytes for one in scanned)
    click.echo(
        f"{len(scanned)} recordings, {n_bytes / 1e6:.1f} MB, written to {printable(output)}."
    )
    options.warn_unlisted(unlisted)
    return 1 if unlisted else 0
