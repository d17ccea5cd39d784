"""Segments for other programs: Audacity, Praat, ELAN, subtitle editors and speaker tools.

Each function takes the segments of one recording, in the order of time, and returns the text of a
file. Times are in seconds; names and texts may hold any characters, which each format quotes in its
way. RTTM is made for speakers: the emotion stands where the speaker's name belongs.
"""

from collections.abc import Callable, Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

from serctl.results.segments import Segment

TIER = "emotion"
EAF_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="serctl" DATE="1970-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
"""


def label_of(segment: Segment) -> str:
    """Emotion, and the speaker or the channel if one is known."""
    who = segment.speaker or (f"channel {segment.channel}" if segment.channel else "")
    return f"{segment.emotion} ({who})" if who else segment.emotion


def audacity(segments: Sequence[Segment], media: str, duration_s: float) -> str:
    """Labels of Audacity: start, end and label, with tabs between them."""
    return "".join(
        f"{segment.start_s:.6f}\t{segment.end_s:.6f}\t{_one_line(label_of(segment))}\n"
        for segment in segments
    )


def textgrid(segments: Sequence[Segment], media: str, duration_s: float) -> str:
    """TextGrid of Praat, in its long form, with an interval tier for each channel and speaker."""
    tiers = _by_party(segments)
    end_s = max([duration_s, *(segment.end_s for segment in segments)])
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {end_s:.6f}",
        "tiers? <exists>",
        f"size = {len(tiers)}",
        "item []:",
    ]
    for i, (name, held) in enumerate(tiers, start=1):
        intervals = list(_without_gaps(held, end_s))
        lines += [
            f"    item [{i}]:",
            '        class = "IntervalTier"',
            f"        name = {_praat(name)}",
            "        xmin = 0",
            f"        xmax = {end_s:.6f}",
            f"        intervals: size = {len(intervals)}",
        ]
        for k, (start_s, stop_s, text) in enumerate(intervals, start=1):
            lines += [
                f"        intervals [{k}]:",
                f"            xmin = {start_s:.6f}",
                f"            xmax = {stop_s:.6f}",
                f"            text = {_praat(text)}",
            ]
    return "\n".join(lines) + "\n"


def eaf(segments: Sequence[Segment], media: str, duration_s: float) -> str:
    """Annotations of ELAN (EAF 3.0), with a tier for each channel and speaker."""
    tiers = _by_party(segments)
    slots: list[tuple[int, int]] = []  # time and number
    held: list[str] = []
    for name, some in tiers:
        annotations = []
        for segment in some:
            n = len(slots) // 2 + 1
            slots += [(_ms(segment.start_s), 2 * n - 1), (_ms(segment.end_s), 2 * n)]
            annotations.append(
                "        <ANNOTATION>\n"
                f'            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a{n}" '
                f'TIME_SLOT_REF1="ts{2 * n - 1}" TIME_SLOT_REF2="ts{2 * n}">\n'
                f"                <ANNOTATION_VALUE>{_xml(segment.emotion)}</ANNOTATION_VALUE>\n"
                "            </ALIGNABLE_ANNOTATION>\n"
                "        </ANNOTATION>\n"
            )
        opening = f'    <TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID={_attribute(name)}'
        body = "".join(annotations)
        held.append(f"{opening}>\n{body}    </TIER>\n" if body else f"{opening}/>\n")
    url = f"file:///{_uri(media.lstrip('/'))}" if media.startswith("/") else _uri(media)
    return (
        EAF_HEAD
        + '    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">\n'
        + f'        <MEDIA_DESCRIPTOR MEDIA_URL={_attribute(url)} MIME_TYPE="audio/x-wav"/>\n'
        + "    </HEADER>\n    <TIME_ORDER>\n"
        + "".join(
            f'        <TIME_SLOT TIME_SLOT_ID="ts{number}" TIME_VALUE="{ms}"/>\n'
            for ms, number in sorted(slots)  # ELAN wants them in the order of time
        )
        + "    </TIME_ORDER>\n"
        + "".join(held)
        + '    <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="default-lt" '
        + 'TIME_ALIGNABLE="true"/>\n</ANNOTATION_DOCUMENT>\n'
    )


def rttm(segments: Sequence[Segment], media: str, duration_s: float) -> str:
    """RTTM of NIST: a SPEAKER line a segment, the emotion where the speaker's name belongs."""
    file_id = _word(_stem(media))
    return "".join(
        f"SPEAKER {file_id} {segment.channel or 1} {segment.start_s:.3f} "
        f"{segment.end_s - segment.start_s:.3f} <NA> <NA> {_word(segment.emotion)} "
        f"{'<NA>' if segment.confidence is None else f'{segment.confidence:.6f}'} <NA>\n"
        for segment in segments
    )


def srt(segments: Sequence[Segment], media: str, duration_s: float) -> str:
    """Subtitles of SubRip."""
    return "".join(
        f"{i}\n{_clock(segment.start_s, ',')} --> {_clock(segment.end_s, ',')}\n"
        f"{_one_line(label_of(segment))}\n\n"
        for i, segment in enumerate(segments, start=1)
    )


def vtt(segments: Sequence[Segment], media: str, duration_s: float) -> str:
    """Subtitles of WebVTT."""
    cues = "".join(
        f"\n{_clock(segment.start_s, '.')} --> {_clock(segment.end_s, '.')}\n"
        f"{escape(_one_line(label_of(segment)))}\n"
        for segment in segments
    )
    return f"WEBVTT\n{cues}"


# Name of each format to its function and the extension of its files.
FORMATS: dict[str, tuple[Callable[[Sequence[Segment], str, float], str], str]] = {
    "audacity": (audacity, ".txt"),
    "textgrid": (textgrid, ".TextGrid"),
    "eaf": (eaf, ".eaf"),
    "rttm": (rttm, ".rttm"),
    "srt": (srt, ".srt"),
    "vtt": (vtt, ".vtt"),
}


def _by_party(segments: Sequence[Segment]) -> list[tuple[str, list[Segment]]]:
    """Segments of each channel and speaker, under the name of its tier."""
    tiers: dict[str, list[Segment]] = {}
    for segment in segments:
        parts = [TIER]
        if segment.channel:
            parts.append(f"channel {segment.channel}")
        if segment.speaker:
            parts.append(segment.speaker)
        tiers.setdefault(" ".join(parts), []).append(segment)
    return list(tiers.items()) or [(TIER, [])]


def _without_gaps(segments: Iterable[Segment], end_s: float) -> Iterable[tuple[float, float, str]]:
    """Intervals of a tier of Praat, which must follow each other without gaps or overlap."""
    place_s = 0.0
    for segment in segments:
        start_s = max(segment.start_s, place_s)
        if segment.end_s <= start_s:
            continue  # within one before it
        if start_s > place_s:
            yield place_s, start_s, ""
        yield start_s, segment.end_s, segment.emotion
        place_s = segment.end_s
    if place_s < end_s or not place_s:
        yield place_s, end_s, ""


def _praat(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _xml(text: str) -> str:
    return escape(_printable(text))


def _attribute(text: str) -> str:
    return quoteattr(_printable(text))


def _printable(text: str) -> str:
    """Text without what XML 1.0 cannot hold."""
    return "".join(c if c >= " " and not "\ud800" <= c <= "\udfff" else "\ufffd" for c in text)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _word(text: str) -> str:
    """Text as one field of RTTM, whose fields end with blanks."""
    return "_".join(text.split()) or "<NA>"


def _stem(path: str) -> str:
    name = path.replace("\\", "/").rpartition("/")[2]
    return name.rpartition(".")[0] or name


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path, errors="surrogateescape")


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _clock(seconds: float, point: str) -> str:
    ms = _ms(seconds)
    return f"{ms // 3600000:02d}:{ms // 60000 % 60:02d}:{ms // 1000 % 60:02d}{point}{ms % 1000:03d}"
