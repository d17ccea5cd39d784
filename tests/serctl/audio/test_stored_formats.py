"""Small stored files of formats that FFmpeg's libraries in PyAV read and do not write.

All are of the first 1.5 s of tests/recordings/calls/bakery-order.wav. Debian's aac-enc (FDK AAC) made
``he-aac.aac``, and VisualOn's library for AMR-WB ``amr-wb.awb``; ffmpeg copied these into the
containers of telephones.
"""

from pathlib import Path

import pytest

from serctl.audio.decoding import read_windows

FORMATS = Path(__file__).parents[2] / "formats"
# Seconds; an encoder of HE-AAC begins with a delay, which the file does not tell of.
DURATIONS_S = {
    "alac.caf": 1.5,
    "opus.caf": 1.5,
    "speex.spx": 1.5,
    "amr-wb.awb": 1.5,
    "amr-wb.3gp": 1.5,
    "he-aac.aac": 1.625,
    "he-aac.m4a": 1.625,
}


def test_every_stored_file_is_tested():
    assert {path.name for path in FORMATS.iterdir()} == set(DURATIONS_S)


@pytest.mark.parametrize("name", DURATIONS_S)
def test_stored_formats_are_read_whole(name):
    recording, windows = read_windows(str(FORMATS / name), 16000, 30.0)
    assert len(list(windows)) == 1
    assert recording.duration_s == pytest.approx(DURATIONS_S[name], abs=0.05)
    assert recording.peak > 0.3
    assert recording.reason == ""


@pytest.mark.parametrize(("name", "rate_hz"), [("he-aac.m4a", 44100), ("amr-wb.awb", 16000)])
def test_the_whole_band_is_decoded(name, rate_hz):
    """Of HE-AAC, the core alone is at half the rate; of AMR, wideband has twice the rate."""
    assert read_windows(str(FORMATS / name), 16000, 30.0)[0].rate_hz == rate_hz
