"""The command ``serctl``, and ``python -m serctl``.

Loading `serctl.cli` takes longer than a hasty Ctrl-C: here that ends as it does later on, in a line
and exit status 130.
"""

import sys


def main() -> None:
    """Load the command line, run it and exit with its status."""
    try:
        from serctl import cli
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        sys.exit(130)
    cli.main()


if __name__ == "__main__":
    main()
