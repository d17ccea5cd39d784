"""``serctl corpora``: what of the four corpora is on disk, and what is odd about it."""

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
@click.option("-o", "--output", metavar="FILE.csv", help="Write a table of all the clips there.")
@click.option(
    "--figure",
    "figures",
    multiple=True,
    metavar="PICTURE",
    help="Draw the counts, as .png or .svg; may be given twice.",
)
@click.option("--overwrite", is_flag=True, help="Replace FILE.csv and PICTURE if they are there.")
def corpora(
    folder: str | None, output: str | None, figures: tuple[str, ...], overwrite: bool
) -> int:
    """Check the corpora that training needs.

    Reads every clip of CREMA-D, RAVDESS, SAVEE and TESS below DIR, in whatever folders and format
    they were downloaded, and counts them by emotion and corpus. Lists what is missing, unreadable,
    silent, repeated, of unknown name, or not as published. DIR is SERCTL_CORPORA by default, or
    else ./corpora. The exit status is 0 if all four are complete and can be read, 1 if they are
    not, and 3 if there are none.
    """
    from serctl.cli.terminal.tables import plain_console
    from serctl.train.corpora.manifest import SOURCES, WHERE_THE_CORPORA_ARE

    if folder is not None and not os.path.isdir(folder):
        found = "a file, and a folder is needed" if os.path.exists(folder) else "no such folder"
        raise PathError(f"{folder}: {found}.\n{WHERE_THE_CORPORA_ARE}")
    folder = DEFAULT_FOLDER if folder is None else folder
    if output is not None:
        _check_output(output, overwrite)
    _check_figures(figures, overwrite)
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
        console.print(f"What is missing is had from\n{sources}", soft_wrap=True)
    if output is not None:
        _write(survey.table, output)
        console.print(f"Table: {printable(output)}")
    for figure in figures:
        _draw(survey.table, figure)
        console.print(f"Picture: {printable(figure)}")
    return 0 if survey.complete else 1


def _check_output(output: str, overwrite: bool) -> None:
    from serctl.files.outputs import check_output

    if not output.lower().endswith(".csv"):
        raise UsageError(f"{output}: the table is written as CSV. Give a name that ends in .csv.")
    check_output(output, (".csv",), overwrite)


def _check_figures(figures: tuple[str, ...], overwrite: bool) -> None:
    if figures:
        from serctl.figures import check_picture

        for figure in figures:
            check_picture(figure, overwrite)


def _survey_with_progress(folder: str) -> "Survey":
    from serctl.progress import progress
    from serctl.train.corpora.survey import survey

    return survey(folder, lambda readings, n: progress(readings, n, "Reading", "clip"))


def _print_counts(console: "Console", table: "pd.DataFrame", folder: str) -> None:
    """Print clips that can be read, by emotion and corpus, beside how many there should be."""
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
            # No number where the corpus does not act the emotion.
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
    print_table(console, f"Clips that can be read in {printable(folder)}", headers, rows, totals)


def _summary(table: "pd.DataFrame") -> str:
    """How many clips there are of the report's five emotions, and of neutral."""
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
        f"Neutral, calm counted in: {n_neutral} clips."
    )


def _findings(survey: "Survey", folder: str) -> list[tuple[str, list[str]]]:
    """Each thing that can be odd, and the names that it holds for."""
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
            "same as another",
            [
                " = ".join([clip for _, clip in group[:MAX_NAMES_SHOWN]])
                + (" = ..." if len(group) > MAX_NAMES_SHOWN else "")
                + as_published(group in IDENTICAL_CLIPS)
                for group in survey.identical
            ],
        ),
        ("repeated (same bytes)", repeats[True]),
        ("repeated (other bytes)", repeats[False]),
        ("unknown name", [below(path) for path in survey.unknown]),
        ("song (left out)", [below(path) for path in survey.songs]),
        (
            "not as published",
            [below(path) for path in _readable(table[~table["original"]])["path"]],
        ),
    ]


def _print_findings(console: "Console", findings: list[tuple[str, list[str]]]) -> None:
    """Print how many there are of each finding, and the first names."""
    from serctl.cli.terminal.tables import print_table

    def examples(what: str, names: list[str]) -> str:
        more = ["..."] if len(names) > MAX_NAMES_SHOWN else []
        # Stems are short and fit on a line; paths do not.
        separator = ", " if what.startswith("missing") else "\n"
        return separator.join([*map(printable, names[:MAX_NAMES_SHOWN]), *more])

    rows = [(what, f"{len(names)}", examples(what, names)) for what, names in findings]
    print_table(console, "What is odd", ("Found", "Count", "Such as"), rows, text=(0, 2))


def _readable(table: "pd.DataFrame") -> "pd.DataFrame":
    return table[table["status"] != "unreadable"]


def _write(table: "pd.DataFrame", output: str) -> None:
    from serctl.files.outputs import atomic_write

    with atomic_write(output) as aside:
        # As in results files: names that are not UTF-8 keep their bytes.
        table.to_csv(
            aside, index=False, lineterminator="\n", encoding="utf-8", errors="surrogateescape"
        )


def _draw(table: "pd.DataFrame", figure: str) -> None:
    from serctl.figures import save_figure
    from serctl.train.corpora.figure import draw_corpora

    save_figure(draw_corpora(_readable(table)), figure)
