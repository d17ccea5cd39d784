"""Text for people: counts with a noun, escaped control characters, Markdown tables."""

from collections.abc import Collection, Iterable, Sequence


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
    headers: Sequence[str], rows: Iterable[Sequence[str]], text: Collection[int] = (0,)
) -> str:
    """Table in Markdown (GitHub's), with a line feed after each row.

    Parameters
    ----------
    headers : sequence of str
        Of the columns, in Markdown.
    rows : iterable of sequences of str
        Cells, in Markdown: use `escape_markdown` for other text.
    text : collection of int
        Numbers of the columns that are aligned to the left; the others are to the right.
    """
    ruler = ["---" if i in text else "---:" for i in range(len(headers))]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (headers, ruler, *rows))
