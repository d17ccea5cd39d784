"""``serctl cite``: what to cite, in BibTeX."""

import click

EXAMPLES = """\b
Examples:
  serctl cite
  serctl cite > serctl.bib
"""


@click.command(epilog=EXAMPLES)
def cite() -> None:
    """Print what to cite, in BibTeX.

    The entries are serctl, the report that it implements, the corpora that its models learned from,
    and the networks of others that it holds. A comment above each says when to cite it.
    """
    from serctl.citations import CITATIONS

    click.echo("\n".join(citation.bibtex() for citation in CITATIONS), nl=False)
