"""``serctl corpora``: check which clips of the four corpora are there, and report problems."""

import os
from typing import TYPE_CHECKING

import click

from serctl.emotions import EMOTIONS, REPORT_FIVE
from serctl.errors import PathError, UsageError
from serctl.text import printable

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from serctl.train.corpora.survey import Survey

DEFAULT_FOLDER = os.path.join(os.curdir, "corpora")
MAX_NAMES_SHOWN = 3

EXAMPLES = """\b
Examples:
  serctl corpora ~/corpora
  serctl corpora ~/corpora -o clips.csv
  serctl corpora ~/corpora --figure counts.png --figure counts.svg
"""


@click.command(epilog=EXAMPLES)
@click.argument("folder", metavar="[DIR]", required=False, envvar="SERCTL_CORPORA")
@click.option("-o", "--output", metavar="FILE.csv", help="Write a table of all clips.")
@click.option(
    "--figure",
    "figures",
    multiple=True,
    metavar="IMAGE",
    help="Plot the number of clips (.png or .svg); repeatable.",
)
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
@click.pass_context
def corpora(
    context: click.Context,
    folder: str | None,
    output: str | None,
    figures: tuple[str, ...],
    overwrite: bool,
) -> int:
    """Check the four corpora that training needs.

    Reads all clips of CREMA-D, RAVDESS, SAVEE and TESS below DIR, in any folder structure and
    format, and counts them by emotion and corpus. Lists clips that are missing, unreadable, silent,
    duplicated, modified or of unknown name. DIR is SERCTL_CORPORA or ./corpora by default. The exit
    status is 0 if all four corpora are complete and readable, 1 if not, and 3 if no clip is found.
    """
    from serctl.cli.terminal.tables import plain_console
    from serctl.files.outputs import lock_outputs
    from serctl.train.corpora.manifest import SOURCES, WHERE_THE_CORPORA_ARE

    if folder is not None and not os.path.isdir(folder):
        found = "is a file; a folder is needed" if os.path.exists(folder) else "does not exist"
        raise PathError(f"{folder}: {found}.\n{WHERE_THE_CORPORA_ARE}")
    folder = DEFAULT_FOLDER if folder is None else folder
    if output is not None:
        _check_output(output, overwrite)
    _check_figures(figures, overwrite)
    context.with_resource(lock_outputs(output, *figures))
    survey = _survey_with_progress(folder)
    console = plain_console()
    _print_counts(console, survey.table, folder)
    console.print()
    console.print(_summary(survey.table))
    findings = _findings(survey, folder)
    odd = [(what, names) for what, names in findings if names]
    if odd:
        _print_findings(console, odd)
    console.print()
    if len(odd) < len(findings):
        console.print(f"None: {'; '.join(what for what, names in findings if not names)}.")
    if survey.missing:
        sources = "\n".join(SOURCES[corpus] for corpus in survey.missing)
        console.print(f"Download the missing clips from\n{sources}", soft_wrap=True)
    if output is not None:
        _write(survey.table, output)
        console.print(f"Table: {printable(output)}")
    for figure in figures:
        _plot(survey.table, figure)
        console.print(f"Figure: {printable(figure)}")
    return 0 if survey.complete else 1


def _check_output(output: str, overwrite: bool) -> None:
    from serctl.files.outputs import check_output

    if not output.lower().endswith(".csv"):
        raise UsageError(f"{output}: the table is a CSV file. Choose a name that ends in .csv.")
    check_output(output, (".csv",), overwrite)


def _check_figures(figures: tuple[str, ...], overwrite: bool) -> None:
    if figures:
        from serctl.figures import check_figure

        for figure in figures:
            check_figure(figure, overwrite)


def _survey_with_progress(folder: str) -> "Survey":
    from serctl.progress import progress
    from serctl.train.corpora.survey import survey

    return survey(folder, lambda readings, n: progress(readings, n, "Reading", "clip"))


def _print_counts(console: "Console", table: "pd.DataFrame", folder: str) -> None:
    """Print the number of readable clips by emotion and corpus, and of published clips."""
    import pandas as pd

    from serctl.cli.terminal.tables import print_table
    from serctl.train.corpora.manifest import CORPORA, manifest

    def count(clips: "pd.DataFrame") -> "pd.DataFrame":
        counts = pd.crosstab(clips["emotion"], clips["corpus"])
        return counts.reindex(index=EMOTIONS, columns=CORPORA, fill_value=0)

    expected, counts = count(manifest()), count(_readable(table))
    rows = [
        (
            emotion,
            # Empty where the corpus does not have the emotion.
            *(f"{counts[c][emotion]}" if expected.at[emotion, c] else "" for c in CORPORA),
            f"{counts.loc[emotion].sum()}",
            f"{expected.loc[emotion].sum()}",
        )
        for emotion in EMOTIONS
    ]
    totals = [
        ("all", *map(str, counts.sum()), f"{counts.to_numpy().sum()}", f"{len(manifest())}"),
        ("of", *map(str, expected.sum()), "", ""),
    ]
    headers = ("Emotion", *CORPORA, "All", "Of")
    print_table(console, f"Readable clips in {printable(folder)}", headers, rows, totals)


def _summary(table: "pd.DataFrame") -> str:
    """Count the clips of the report's five emotions, and of neutral."""
    from serctl.train.corpora.manifest import manifest

    counts, expected = (
        frame["emotion"].value_counts().reindex(EMOTIONS, fill_value=0)
        for frame in (_readable(table), manifest())
    )
    five, neutral = list(REPORT_FIVE), ["neutral", "calm"]
    least, most = counts[five].min(), counts[five].max()
    each = f"{least}" if least == most else f"{least} to {most}"
    n_five, n_neutral = (
        f"{counts[emotions].sum()} of {expected[emotions].sum()}" for emotions in (five, neutral)
    )
    return (
        f"The report's five emotions: {n_five} clips, {each} each.\n"
        f"Neutral, including calm: {n_neutral} clips."
    )


def _findings(survey: "Survey", folder: str) -> list[tuple[str, list[str]]]:
    """Each kind of problem, and the clips that have it."""
    from serctl.train.corpora.manifest import IDENTICAL_CLIPS, SILENT_CLIP

    def below(path: str) -> str:
        return os.path.relpath(path, folder)

    def as_published(known: bool) -> str:
        return " (as published)" if known else ""

    table = survey.table
    silent = table[table["status"] == "silent"]
    unreadable = table[table["status"] == "unreadable"]
    repeats: dict[bool, list[str]] = {True: [], False: []}
    for path, first, same_bytes in survey.duplicates.itertuples(index=False):
        repeats[same_bytes].append(f"{below(path)} (of {below(first)})")
    missing = [(f"missing ({corpus})", names) for corpus, names in survey.missing.items()]
    return [
        *(missing or [("missing", [])]),
        (
            "unreadable",
            [
                f"{below(path)} ({reason})"
                for path, reason in zip(unreadable["path"], unreadable["reason"], strict=True)
            ],
        ),
        (
            "silent",
            [
                clip + as_published((corpus, clip) == SILENT_CLIP)
                for corpus, clip in zip(silent["corpus"], silent["clip"], strict=True)
            ],
        ),
        (
            "identical to another",
            [
                " = ".join([clip for _, clip in group[:MAX_NAMES_SHOWN]])
                + (" = ..." if len(group) > MAX_NAMES_SHOWN else "")
                + as_published(group in IDENTICAL_CLIPS)
                for group in survey.identical
            ],
        ),
        ("duplicate (same bytes)", repeats[True]),
        ("duplicate (other bytes)", repeats[False]),
        ("unknown name", [below(path) for path in survey.unknown]),
        ("song (left out)", [below(path) for path in survey.songs]),
        (
            "modified",
            [below(path) for path in _readable(table[~table["original"]])["path"]],
        ),
    ]


def _print_findings(console: "Console", findings: list[tuple[str, list[str]]]) -> None:
    """Print the number of each finding, and the first names."""
    from serctl.cli.terminal.tables import print_table

    def examples(what: str, names: list[str]) -> str:
        more = ["..."] if len(names) > MAX_NAMES_SHOWN else []
        # File names without extension are short and fit on a line; paths do not.
        separator = ", " if what.startswith("missing") else "\n"
        return separator.join([*map(printable, names[:MAX_NAMES_SHOWN]), *more])

    rows = [(what, f"{len(names)}", examples(what, names)) for what, names in findings]
    print_table(console, "Problems", ("Problem", "Clips", "Examples"), rows, text=(0, 2))


def _readable(table: "pd.DataFrame") -> "pd.DataFrame":
    return table[table["status"] != "unreadable"]


def _write(table: "pd.DataFrame", output: str) -> None:
    from serctl.files.outputs import atomic_write

    with atomic_write(output) as partial:
        # As in results files, names that are not UTF-8 keep their bytes.
        table.to_csv(
            partial, index=False, lineterminator="\n", encoding="utf-8", errors="surrogateescape"
        )


def _plot(table: "pd.DataFrame", figure: str) -> None:
    from serctl.figures import save_figure
    from serctl.train.corpora.figure import draw_corpora

    save_figure(draw_corpora(_readable(table)), figure)
