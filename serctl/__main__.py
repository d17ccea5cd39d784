"""The command ``serctl``, and ``python -m serctl``.

Ctrl-C while `serctl.cli` is being imported gives the same message and exit status 130 as later.
"""

import os
import sys


def main() -> None:
    """Load the command line, run it and exit with its status."""
    _leave_current_folder()
    try:
        from serctl import cli
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        sys.exit(130)
    cli.main()


def _leave_current_folder() -> None:
    """Import nothing from the current folder, as ``python -m`` would: it may hold a ``random.py``."""
    try:
        current = {"", os.getcwd()}
    except FileNotFoundError:  # a folder that was removed
        current = {""}
    if not sys.flags.safe_path and sys.path and sys.path[0] in current:
        del sys.path[0]


if __name__ == "__main__":
    main()
