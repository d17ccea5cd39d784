"""Text for people: counts with a noun, escaped control characters, Markdown tables."""

from collections.abc import Iterable, Sequence


def count(n: int, noun: str) -> str:
    """``1 recording``, ``2 recordings``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def printable(text: str) -> str:
    """Text with unprintable characters escaped, such as those that control a terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def escape_markdown(text: str) -> str:
    """Text with the characters that Markdown takes for markup escaped."""
    # Underscores inside words are no markup.
    for mark in "\\`*[]<>|":
        text = text.replace(mark, "\\" + mark)
    return text


def markdown_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], numeric: Iterable[int] = ()
) -> str:
    """Table in GitHub's Markdown, without a newline at its end.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    rows : iterable of sequences of str
        Cells, in Markdown: what could be markup is escaped.
    numeric : iterable of int, optional
        Columns that are aligned to the right.
    """
    ruler = ["---"] * len(header)
    for column in numeric:
        ruler[column] = "---:"
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, ruler, *rows))
