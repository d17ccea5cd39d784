"""Options of ``serctl classify`` for speech, long recordings, channels, segments and voices."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from serctl.cli import options
from serctl.errors import UsageError

if TYPE_CHECKING:
    from serctl.engine.voices.grouping import VoiceSource


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
        As ``segments`` and ``windows`` of `serctl.results.destination.Destination`.
    segment_formats, segments_dir : str or None
        Formats of `serctl.timeline.export_files`, separated by commas, and the folder for them.
    segments_from, tier : str or None
        As `serctl.timeline.matching.GivenSegments` takes them.
    min_confidence : float
        What is less probable is labelled ``uncertain``.
    voices : str or None
        As `serctl.engine.voices.grouping.parse_voices` takes it.
    same_room : bool
        Whether all recordings are one group.
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
    voices: str | None
    same_room: bool

    def check(self, shard: str | None) -> None:
        """Raise UsageError if values do not fit together, before a worker starts.

        Parameters
        ----------
        shard : str or None
            Of the run, if it is a part of others.
        """
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
        if self.voices is not None and self.same_room:
            raise UsageError("--voices and --same-room: give one of them.")
        if self.is_grouped and (self.channels == "each" or self.segments_from is not None):
            raise UsageError(
                "--voices and --same-room: take each recording as a whole; remove --channels each "
                "and --segments-from. --channels N takes one channel of each."
            )

        if self.is_grouped and shard is not None:
            raise UsageError(
                "--voices and --same-room: need all recordings of a voice in one run; remove --shard."
            )

    @property
    def is_grouped(self) -> bool:
        """Whether recordings are classified beside others."""
        return self.voices is not None or self.same_room

    def voice_source(self) -> "VoiceSource | None":
        """Which recordings are one voice's, if any are; SerctlError if that cannot be read."""
        from serctl.engine.voices.grouping import SAME_ROOM, VoiceSource, parse_voices

        if self.same_room:
            return VoiceSource(SAME_ROOM)
        return None if self.voices is None else parse_voices(self.voices)


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
        help="Export segments: audacity, textgrid, eaf, rttm, srt, vtt, audformat.",
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
    click.option(
        "--voices",
        metavar="FILE|folder|REGEX",
        help="Compare recordings of one voice: by CSV (path,voice), folder, or '(?P<voice>...)'.",
    ),
    click.option(
        "--same-room", is_flag=True, help="Compare all recordings with each other, as one group."
    ),
)
