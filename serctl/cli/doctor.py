"""``serctl doctor``: what serctl runs on, and whether it works here."""

import click

EXAMPLES = """\b
Examples:
  serctl doctor
"""


@click.command(epilog=EXAMPLES)
def doctor() -> int:
    """Check that serctl works on this machine.

    Prints versions, device, threads, decoders and folders, and classifies a synthetic recording from
    end to end. Include its output when you report a problem. The exit status is 1 if a check fails.
    """
    from serctl.cli.terminal.checks import CHECKS
    from serctl.text import printable

    failed = 0
    for name, check in CHECKS:
        try:
            found, mark = check(), "ok"
        except Exception as error:  # whatever it is, it is what the user must see
            found, mark = f"{type(error).__name__}: {error}", "FAILED"
            failed += 1
        click.echo(f"{mark:<8}{name:<18}{printable(found)}")
    if failed:
        click.echo(f"\n{failed} of {len(CHECKS)} checks failed.")
    else:
        click.echo("\nserctl works on this machine.")
    return 1 if failed else 0
