"""The command ``serctl``, and ``python -m serctl``.

Ctrl-C while `serctl.cli` is being imported gives the same message and exit status 130 as later.
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
