"""Draw the README's pictures of a terminal: what its commands print over tests/recordings.

    python docs/draw_terminal.py

Runs the commands and draws their real output; `just terminal` does the same. The pictures name no
web font, so that they look the same offline.
"""

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
COMMANDS = {  # picture in docs/ -> command, in this order
    "terminal.svg": "serctl classify ./recordings",
    "report.svg": "serctl report --by folder",
}
WIDTH = 80  # characters


def run_commands() -> dict[str, str]:
    """Run `COMMANDS` one after another in a folder that holds tests/recordings.

    Returns
    -------
    dict of str to str
        Picture -> standard output of its command, with the escape codes of colours.
    """
    environment = {**os.environ, "FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": str(WIDTH)}
    printed = {}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "recordings").symlink_to(ROOT / "tests" / "recordings")
        for picture, command in COMMANDS.items():
            arguments = [sys.executable, "-m", *command.split()]
            done = subprocess.run(
                arguments, cwd=folder, env=environment, capture_output=True, text=True, check=True
            )
            printed[picture] = done.stdout
    return printed


def draw(command: str, output: str) -> str:
    """Draw a command and its output as an SVG of a terminal's window."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), highlight=False)
    console.print(Text.assemble(("$ ", "green"), (command, "bold")))
    console.print(Text.from_ansi(output.strip("\n")), no_wrap=True, overflow="ignore", end="\n\n")
    svg = console.export_svg(title="serctl", unique_id="serctl")
    # Without it, some renderers strip the spaces at the beginning of a line.
    svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return re.sub(r"[ \t]+$", "", svg.rstrip(), flags=re.MULTILINE) + "\n"


def words(svg: str) -> list[str]:
    """Words in a picture, without its numbers, which another processor may round otherwise."""
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    return re.findall(r"[A-Za-z][A-Za-z./-]+", "\n".join(texts).replace("&#160;", " "))


if __name__ == "__main__":
    for picture, output in run_commands().items():
        path = ROOT / "docs" / picture
        path.write_text(draw(COMMANDS[picture], output), encoding="utf-8")
        print(path)
