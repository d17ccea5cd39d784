"""Exports: what other programs' readers find is what was written."""

import xml.etree.ElementTree as ElementTree

import pytest
from support.eaf_schema import faults_of

from serctl.results.segments import Segment
from serctl.timeline.exports import FORMATS, audacity, eaf, rttm, srt, textgrid, vtt
from serctl.timeline.given import read_given

MEDIA = 'calls/a <b> & "c".x.wav'
NASTY = 'A <b>\t& "c" ü'


def segment(start_s, end_s, emotion="sad", channel=None, speaker="", confidence=0.5):
    return Segment(MEDIA, channel, speaker, start_s, end_s, 1.0, emotion, confidence, (0.5, 0.5))


SEGMENTS = [segment(0.5, 2.25), segment(2.25, 4, "angry"), segment(3700.004, 3710.5, "happy")]
PARTIES = [
    segment(1, 9, channel=1),
    segment(3, 12, "angry", channel=2),
    segment(9.5, 20, speaker=NASTY),
]


def expected(segments):
    return [(s.start_s, s.end_s, s.emotion) for s in segments]


def test_audacity(tmp_path):
    lines = audacity([*SEGMENTS, PARTIES[2]], MEDIA, 4000).splitlines()
    found = [line.split("\t") for line in lines]
    assert [(float(a), float(b), c) for a, b, c in found[:3]] == expected(SEGMENTS)
    assert found[3][2] == 'sad (A <b> & "c" ü)'  # a tab would be another field


def test_rttm():
    fields = [line.split() for line in rttm(SEGMENTS + PARTIES, MEDIA, 4000).splitlines()]
    assert {len(line) for line in fields} == {10}
    assert {(line[0], line[1]) for line in fields} == {("SPEAKER", 'a_<b>_&_"c".x')}
    assert [line[2] for line in fields] == ["1", "1", "1", "1", "2", "1"]
    found = [
        (float(line[3]), round(float(line[3]) + float(line[4]), 3), line[7]) for line in fields
    ]
    assert found == expected(SEGMENTS + PARTIES)


@pytest.mark.parametrize("segments", [SEGMENTS, PARTIES, []])
def test_textgrid_as_praatio_reads_it(tmp_path, segments):
    praatio = pytest.importorskip("praatio.textgrid")
    path = tmp_path / "a.TextGrid"
    path.write_text(textgrid(segments, MEDIA, 4000), encoding="utf-8")
    read = praatio.openTextgrid(str(path), includeEmptyIntervals=False)
    assert read.maxTimestamp == 4000
    found = [
        (entry.start, entry.end, entry.label)
        for name in read.tierNames
        for entry in read.getTier(name).entries
    ]
    assert found == expected(segments)
    if segments == PARTIES:
        names = ("emotion channel 1", "emotion channel 2", f"emotion {NASTY}")
        assert read.tierNames == names
    whole = praatio.openTextgrid(str(path), includeEmptyIntervals=True)
    for name in whole.tierNames:  # without gaps
        entries = whole.getTier(name).entries
        assert [entry.start for entry in entries] == [0, *[entry.end for entry in entries[:-1]]]


@pytest.mark.parametrize("segments", [SEGMENTS, PARTIES, []])
def test_eaf_as_pympi_reads_it(tmp_path, segments):
    elan = pytest.importorskip("pympi.Elan")
    path = tmp_path / "a.eaf"
    path.write_text(eaf(segments, MEDIA, 4000), encoding="utf-8")
    read = elan.Eaf(str(path))
    found = [
        (start / 1000, end / 1000, value)
        for name in read.get_tier_names()
        for start, end, value, *_ in sorted(read.get_annotation_data_for_tier(name))
    ]
    assert found == expected(segments)
    root = ElementTree.parse(path).getroot()
    assert root.find("HEADER/MEDIA_DESCRIPTOR").get("MEDIA_URL") == (
        "calls/a%20%3Cb%3E%20%26%20%22c%22.x.wav"
    )


@pytest.mark.parametrize("segments", [SEGMENTS, PARTIES, [], [*PARTIES, *SEGMENTS]])
@pytest.mark.parametrize("media", [MEDIA, "/calls/ü #1?.wav", "C:\\calls\\a.wav"])
def test_eaf_is_valid_by_its_schema(segments, media):
    text = eaf(segments, media, 4000)
    assert faults_of(text) == []
    root = ElementTree.fromstring(text)
    times = [int(slot.get("TIME_VALUE")) for slot in root.iter("TIME_SLOT")]
    assert times == sorted(times)  # as ELAN wants them, beyond the schema
    assert len(times) == 2 * len(segments)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('DATE="1970-01-01T', 'DATE="1970-01-01 ', "ANNOTATION_DOCUMENT has DATE="),
        (' MIME_TYPE="audio/x-wav"', "", "MEDIA_DESCRIPTOR has no MIME_TYPE"),
        ('TIME_VALUE="500"', 'TIME_VALUE="0.5"', "TIME_SLOT has TIME_VALUE='0.5'"),
        ('TIME_SLOT_ID="ts2"', 'TIME_SLOT_ID="ts1"', "the ID ts1 is there twice"),
        ('TIME_SLOT_REF1="ts1"', 'TIME_SLOT_REF1="ts99"', "no time slot ts99"),
        ('LINGUISTIC_TYPE_ID="default-lt"', 'LINGUISTIC_TYPE_ID="a"', "no linguistic type"),
        ("    <TIME_ORDER>", "    <TIER/><TIME_ORDER>", "ANNOTATION_DOCUMENT has the children"),
    ],
)
def test_an_eaf_that_is_not_valid_is_told(old, new, fault):
    text = eaf(SEGMENTS, MEDIA, 4000)
    assert old in text
    assert any(one.startswith(fault) for one in faults_of(text.replace(old, new)))


def test_subtitles_as_others_read_them(tmp_path):
    pysubs2, webvtt = pytest.importorskip("pysubs2"), pytest.importorskip("webvtt")
    (tmp_path / "a.srt").write_text(srt(SEGMENTS, MEDIA, 4000), encoding="utf-8")
    events = pysubs2.load(str(tmp_path / "a.srt"))
    assert [(e.start / 1000, e.end / 1000, e.text) for e in events] == expected(SEGMENTS)
    (tmp_path / "a.vtt").write_text(vtt(SEGMENTS + PARTIES, MEDIA, 4000), encoding="utf-8")
    captions = webvtt.read(str(tmp_path / "a.vtt")).captions
    found = [(c.start_in_seconds, c.end_in_seconds) for c in captions[:3]]
    assert found == [(int(s.start_s), int(s.end_s)) for s in SEGMENTS]
    assert captions[2].start == "01:01:40.004"
    assert captions[3].text == "sad (channel 1)"


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_exported_can_be_given_again(tmp_path, name):
    make, extension = FORMATS[name]
    path = tmp_path / f"a{extension}"
    path.write_text(make(SEGMENTS, MEDIA, 4000), encoding="utf-8")
    found = read_given(str(path))
    times = [(round(s.start_s, 3), round(s.end_s, 3)) for s in found]
    assert times == [(s.start_s, s.end_s) for s in SEGMENTS]
    labels = [(s.speaker if name == "rttm" else s.text) for s in found]
    assert labels == ["sad", "angry", "happy"]
