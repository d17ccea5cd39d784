"""``python -m serctl`` is ``serctl``."""

from serctl.cli import main

if __name__ == "__main__":
    main()
