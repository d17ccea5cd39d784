"""Segments of other programs: each format is read, and what does not fit is said."""

import json

import pytest

from serctl.errors import LabelsError, PathError, UsageError
from serctl.timeline.given import GivenSegment, read_given

TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 3
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "Anna 2"
        xmin = 0
        xmax = 3
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 1.5
            text = ""
        intervals [2]:
            xmin = 1.5
            xmax = 3
            text = "she said ""no"" [1]"
    item [2]:
        class = "TextTier"
        name = "clicks"
        xmin = 0
        xmax = 3
        points: size = 1
        points [1]:
            number = 1
            mark = "x"
"""
SHORT_TEXTGRID = """File type = "ooTextFile"
"TextGrid"

0
3
<exists>
1
"IntervalTier"
"Anna 2"
0
3
1
0.5
2
"hm"
"""
EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="" FORMAT="3.0" VERSION="3.0">
  <HEADER TIME_UNITS="milliseconds"/>
  <TIME_ORDER>
    <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="250"/>
    <TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="1250"/>
    <TIME_SLOT TIME_SLOT_ID="ts3"/>
  </TIME_ORDER>
  <TIER LINGUISTIC_TYPE_REF="x" TIER_ID="A" PARTICIPANT="Anna">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
      <ANNOTATION_VALUE>so &lt; so</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts3">
      <ANNOTATION_VALUE>unaligned</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>
</ANNOTATION_DOCUMENT>
"""
RTTM = """;; a comment
SPKR-INFO a 1 <NA> <NA> <NA> unknown S1 <NA> <NA>
SPEAKER a 1 0.25 1.50 <NA> <NA> S1 <NA> <NA>
"""
VTT = """WEBVTT - title

NOTE nothing

first
00:01.000 --> 01:00:02.500 align:left
<v.loud Anna B>I &lt;3 <i>you</i>
twice
"""
SRT = "1\r\n00:00:01,000 --> 00:00:02,500\r\nYes,\r\nno\r\n\r\n"
WHISPERX = json.dumps({"segments": [{"start": 1, "end": 2.5, "text": " Hm ", "speaker": "S0"}]})


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "a.csv",
            'path,start,end,speaker,channel\n"x, y.wav",1,2.5,Anna,2\nb.wav,0,1,,\n',
            [GivenSegment("x, y.wav", 1, 2.5, "Anna", "", 2), GivenSegment("b.wav", 0, 1)],
        ),
        ("a.csv", "\ufeffpath,start_s,end_s\r\na,1,2\r\n", [GivenSegment("a", 1, 2)]),
        ("a.rttm", RTTM, [GivenSegment("a", 0.25, 1.75, "S1")]),
        ("a.json", WHISPERX, [GivenSegment("", 1, 2.5, "S0", "Hm")]),
        ("a.json", '[{"start": 0, "end": 1}]', [GivenSegment("", 0, 1)]),
        ("a.srt", SRT, [GivenSegment("", 1, 2.5, "", "Yes, no")]),
        ("a.vtt", VTT, [GivenSegment("", 1, 3602.5, "Anna B", "I <3 you twice")]),
        (
            "a.TXT",
            "0,5\t1,5\ta\tb\n\\\t1\t2\n2\t2\tpoint\n",
            [GivenSegment("", 0.5, 1.5, "", "a\tb")],
        ),
        ("a.TextGrid", TEXTGRID, [GivenSegment("", 1.5, 3, "Anna 2", 'she said "no" [1]')]),
        ("a.TextGrid", SHORT_TEXTGRID, [GivenSegment("", 0.5, 2, "Anna 2", "hm")]),
        ("a.eaf", EAF, [GivenSegment("", 0.25, 1.25, "Anna", "so < so")]),
    ],
)
def test_every_format_is_read(tmp_path, name, text, expected):
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    assert read_given(str(tmp_path / name)) == expected


def test_utf16_is_read(tmp_path):
    (tmp_path / "a.TextGrid").write_bytes(SHORT_TEXTGRID.replace("hm", "hä").encode("utf-16"))
    assert read_given(str(tmp_path / "a.TextGrid"))[0].text == "hä"


def test_a_tier_by_its_name(tmp_path):
    for name, text, tier in (("a.TextGrid", TEXTGRID, "Anna 2"), ("a.eaf", EAF, "A")):
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert len(read_given(str(tmp_path / name), tier)) == 1
        with pytest.raises(LabelsError, match=f"no tier 'other'; it has {tier}"):
            read_given(str(tmp_path / name), "other")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "file,start\n", r"line 1: found file, start; the columns path, start and end"),
        ("a.csv", "path,start,end\na,x,2\n", r"line 2: 'x'; a time in seconds"),
        ("a.csv", "path,start,end,channel\na,1,2,0\n", r"line 2: channel '0'; a number from 1"),
        ("a.csv", "path,start,end\na,2,1\n", r"from 2 to 1 s; a time and a later one"),
        ("a.csv", "path,start,end\na,nan,1\n", r"from nan to 1 s"),
        ("a.rttm", "SPEAKER a 1 0\n", r"line 1: 4 fields; at least 8"),
        ("a.json", '{"text": "x"}', r"not the JSON of Whisper or WhisperX"),
        ("a.json", "[" * 9000, r"not the JSON of Whisper"),
        ("a.srt", "1\nsoon --> later\nx\n", r"'soon --> later'"),
        ("a.txt", "1.5 2.5 x\n", r"line 1: start, end and label with tabs"),
        ("a.TextGrid", "x", r"not a TextGrid of Praat"),
        ("a.TextGrid", TEXTGRID[:300], r"not a TextGrid of Praat"),
        ("a.eaf", "<a", r"not an EAF of ELAN"),
        ("a.eaf", '<!DOCTYPE a [<!ENTITY b "c">]><a/>', r"a document type"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(LabelsError, match=message):
        read_given(str(tmp_path / name))


def test_files_that_are_not_there_or_not_known(tmp_path):
    with pytest.raises(PathError, match="does not exist"):
        read_given(str(tmp_path / "a.csv"))
    with pytest.raises(UsageError, match=r"\.docx is not one of"):
        read_given(str(tmp_path / "a.docx"))
