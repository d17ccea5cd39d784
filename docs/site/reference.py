"""Pages of the reference, made of the code: commands, results files, Python API.

Each function returns Markdown. `hooks` puts the pages into the site; nothing is committed, so
nothing gets stale.
"""

import html
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields

import click

import serctl
from serctl.cli import cli
from serctl.results import schema, segments

EMOTION = "<emotion>"  # stands for each emotion of the model
# Methods that are documented, where not all without an underscore are for users.
METHODS = {"Classifier": ["classify", "classify_many"], "Result": [], "Segment": []}

INTRODUCTIONS = {
    "results.csv": (
        "`serctl classify` writes one row for each recording (with `--channels each`, for each "
        "channel). A JSON Lines file has one object in each line, with the columns as keys; a JSON "
        "file has a list of them. Columns are only ever added, at the end, with a new version."
    ),
    "results.segments.csv": (
        "Beside the results, for recordings that are longer than the model's window: from when to when "
        "somebody speaks with which emotion. `--windows-output` writes every window in the same columns."
    ),
}


def pages() -> dict[str, str]:
    """All pages of the reference: from their path in the site to Markdown."""
    found = {f"reference/commands/{name}.md": command_page(name) for name in cli.commands}
    return {
        "reference/commands/index.md": commands_page(),
        **found,
        "reference/results.md": results_page(),
        "reference/python.md": python_page(),
    }


def commands_page() -> str:
    """List of all commands."""
    lines = ["# Commands", "", "| command | what it does |", "| --- | --- |"]
    for name, command in sorted(cli.commands.items()):
        lines.append(f"| [serctl {name}]({name}.md) | {command.get_short_help_str(limit=200)} |")
    lines += [
        "",
        "`serctl COMMAND --help` prints these pages in the terminal. [Exit statuses]"
        "(../../docs/classify.md#exit-status) are the same for all commands.",
    ]
    return "\n".join(lines)


def command_page(name: str) -> str:
    """Usage, description, options and examples of a command, as ``--help`` prints them."""
    command = cli.commands[name]
    # With the settings of the group, since Click keeps the help option that it makes here.
    parent = click.Context(cli, info_name="serctl", **cli.context_settings)
    context = click.Context(command, parent, info_name=name)
    usage = command.get_usage(context).removeprefix("Usage: ")
    parts = [f"# serctl {name}", f"<pre><code>{html.escape(usage)}</code></pre>"]
    parts += _paragraphs(command.help)
    parts += ["## Options", '<dl class="options">']
    for option in _shown_options(command):
        record = option.get_help_record(context)
        assert record is not None  # none of these is hidden
        names, text = (html.escape(part) for part in record)
        anchor = max(option.opts, key=len).lstrip("-")
        parts.append(f'<dt id="{anchor}"><code>{names}</code></dt><dd>{text}</dd>')
    parts.append("</dl>")
    examples = list(_paragraphs(command.epilog))
    if examples:
        parts += ["## Examples", *(one.replace("Examples:\n", "") for one in examples)]
    return "\n\n".join(parts)


def _shown_options(command: click.Command) -> list[click.Option]:
    return [
        option
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
    ]


def _paragraphs(text: str | None) -> Iterator[str]:
    r"""Paragraphs of a help text, as HTML; one that begins with ``\b`` keeps its lines."""
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text or "")):
        if paragraph.startswith("\b"):
            lines = html.escape(paragraph.removeprefix("\b").strip())
            yield f"<pre><code>{lines}</code></pre>"
        elif paragraph:
            yield f"<p>{html.escape(paragraph)}</p>"


def results_page() -> str:
    """Columns of the files that ``serctl classify`` writes, of the dataclasses of their rows."""
    versions = {
        name: f" (since version {number})"
        for number, names in enumerate(schema.TRAILING_OF_VERSIONS, start=1)
        for name in names
        if number > 1
    }
    tables = {
        "results.csv": (schema.Result, schema.columns([EMOTION]), versions),
        "results.segments.csv": (segments.Segment, segments.segment_columns([EMOTION]), {}),
    }
    lines = ["# Results files"]
    for name, (row, columns, since) in tables.items():
        lines += ["", f"## {name}", "", INTRODUCTIONS[name], ""]
        lines += ["| column | type | meaning |", "| --- | --- | --- |"]
        meanings = parameters(row)
        meanings[schema.PROBABILITY + EMOTION] = (
            "float",
            "The probability of each emotion, in [0, 1].",
        )
        for column in columns:
            kind, meaning = meanings[column]
            lines.append(f"| `{column}` | {kind} | {meaning}{since.get(column, '')} |")
    lines += [
        "",
        f"This is version {schema.SCHEMA_VERSION}. [The README](../README.md#classify) explains each "
        "status. What is empty in CSV is `null` in JSON. Probabilities have "
        f"{schema.PROBABILITY_DECIMALS} decimals, seconds {schema.DURATION_DECIMALS}.",
    ]
    return "\n".join(lines)


def parameters(row: type) -> dict[str, tuple[str, str]]:
    """Type and meaning of each field of a dataclass, of the numpydoc section Parameters."""
    section = inspect.cleandoc(row.__doc__ or "").partition("Parameters\n----------\n")[2]
    found = {}
    for names, kind, text in re.findall(r"^(\S.*?) : (.*)\n((?: +.*\n?)+)", section, re.MULTILINE):
        meaning = re.sub("`+([^`]+)`+", _value, " ".join(text.split())).replace("None", "empty")
        for name in names.split(", "):
            found[name] = (kind.replace(" or None", ""), meaning)
    missing = {field.name for field in fields(row)} - set(found)
    if missing:
        raise ValueError(f"{row.__name__}: no description of {', '.join(sorted(missing))}")
    return found


def _value(quoted: re.Match[str]) -> str:
    """A word in backticks; of a constant of the schema, its values."""
    values = getattr(schema, quoted.group(1), quoted.group(1))
    return ", ".join(f"`{value}`" for value in ([values] if isinstance(values, str) else values))


def python_page() -> str:
    """The public names of the package, for mkdocstrings."""
    public = [getattr(serctl, name) for name in serctl.__all__ if not name.startswith("__")]
    public.sort(key=lambda one: one.__name__.lower())
    lines = ["# Python API", "", "With examples: [tutorial](../docs/tutorials/developer.md).", ""]
    for one in (*public, schema.Result, segments.Segment):
        lines += [f"::: {one.__module__}.{one.__name__}"]
        if one.__name__ in METHODS:
            lines += ["    options:", f"      members: {METHODS[one.__name__]}"]
        lines.append("")
    return "\n".join(lines)
