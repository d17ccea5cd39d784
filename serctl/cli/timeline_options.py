"""Options of ``serctl classify`` for speech, long recordings, channels and segments."""

from dataclasses import dataclass

import click

from serctl.cli import options
from serctl.errors import UsageError


@dataclass(frozen=True)
class TimelineOptions:
    """Speech detection, and what becomes of recordings that are longer than a window.

    Attributes
    ----------
    speech, window_s, hop_s, channels
        As of `serctl.audio.windows.Windowing`.
    min_segment_s : float
        As of `serctl.timeline.segments.TimelineSpec`.
    segments_output, windows_output : str or None
        As ``segments`` and ``windows`` of `serctl.engine.run.Destination`.
    segment_formats, segments_dir : str or None
        Formats of `serctl.timeline.exports`, separated by commas, and the folder for them.
    segments_from, tier : str or None
        As `serctl.timeline.matching.GivenSegments` takes them.
    min_confidence : float
        What is less probable is labelled ``uncertain``.
    """

    speech: str
    window_s: float
    hop_s: float
    channels: str
    min_segment_s: float
    segments_output: str | None
    windows_output: str | None
    segment_formats: str | None
    segments_dir: str | None
    segments_from: str | None
    tier: str | None
    min_confidence: float

    def check(self) -> None:
        """Raise UsageError if values do not fit together, before a worker starts."""
        channel = self.channels.isdecimal() and int(self.channels) > 0
        if self.channels not in ("mix", "each") and not channel:
            raise UsageError(f"--channels {self.channels}: mix, each or a number from 1 is needed.")
        if self.segments_from is not None and (self.windows_output or self.channels != "mix"):
            raise UsageError(
                "--segments-from: gives the segments and their channels; remove --windows-output and "
                "--channels."
            )
        if self.tier is not None and self.segments_from is None:
            raise UsageError("--tier: names one of --segments-from, which is not given.")
        if (self.segment_formats is None) != (self.segments_dir is None):
            raise UsageError("--segment-formats and --segments-dir: give both, or neither.")
        if self.hop_s > self.window_s:
            raise UsageError(
                f"--hop-s {self.hop_s:g}: no more than --window-s {self.window_s:g} is needed."
            )


TIMELINE = options.option_group(
    "timeline",
    TimelineOptions,
    click.option(
        "--speech",
        type=click.Choice(["auto", "off"]),
        default="auto",
        show_default=True,
        help="Classify speech only; off classifies any sound.",
    ),
    click.option(
        "--window-s",
        type=click.FloatRange(0.25, 3600),
        default=4.0,
        show_default=True,
        help="Window length in long recordings, in seconds.",
    ),
    click.option(
        "--hop-s",
        type=click.FloatRange(0.1, 3600),
        default=1.0,
        show_default=True,
        help="Time between windows in long recordings.",
    ),
    click.option(
        "--channels",
        default="mix",
        show_default=True,
        metavar="mix|each|N",
        help="Channels: their mean, each by itself, or one of them.",
    ),
    click.option(
        "--min-segment-s",
        type=click.FloatRange(0),
        default=8.0,
        show_default=True,
        help="Drop shorter segments.",
    ),
    click.option(
        "--segments-output",
        metavar="FILE|-",
        help="Segments of long recordings; - for none.  [default: <output>.segments.csv]",
    ),
    click.option(
        "--windows-output", metavar="FILE", help="Also write each window of long recordings."
    ),
    click.option(
        "--segment-formats",
        metavar="A,B,...",
        help="Export segments: audacity, textgrid, eaf, rttm, srt, vtt.",
    ),
    click.option("--segments-dir", metavar="DIR", help="Folder for the exported segments."),
    click.option(
        "--segments-from",
        metavar="FILE|DIR",
        help="Classify given segments: csv, rttm, WhisperX json, srt, vtt, TextGrid, eaf, txt.",
    ),
    click.option(
        "--min-confidence",
        type=click.FloatRange(0, 1),
        default=0.0,
        show_default=True,
        help="Label less probable results uncertain.",
    ),
    click.option("--tier", metavar="NAME", help="Tier of a TextGrid or eaf.  [default: all]"),
)
