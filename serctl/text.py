"""Text for people: counts with a noun, escaped control characters, Markdown tables."""

from collections.abc import Iterable, Sequence


def count(n: int, noun: str) -> str:
    """``1 recording``, ``2 recordings``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def printable(text: str) -> str:
    """Text that is safe to print: unprintable characters are escaped.

    These are those that control a terminal, and those that change the direction of the text or
    cannot be seen, as a file name may have them.
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def printable_lines(text: str) -> str:
    """Text of several lines that is safe to print, as `printable`."""
    return "\n".join(map(printable, text.split("\n")))


def escape_markdown(text: str) -> str:
    """Text with the characters that Markdown takes for markup escaped, and links broken.

    GitHub makes links of addresses, and notifies people whose names follow an ``@``.
    """
    for mark in "\\`*_[]<>|~#":
        text = text.replace(mark, "\\" + mark)
    # A character reference is shown as the character, and is part of no link.
    for mark, reference in (("@", "&#64;"), ("://", "&#58;//"), ("www.", "www&#46;")):
        text = text.replace(mark, reference)
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
