"""Small stored files of formats that FFmpeg's libraries in PyAV read and do not write."""

from pathlib import Path

import pytest

from serctl.audio.decoding import read_windows

FORMATS = Path(__file__).parents[2] / "formats"


@pytest.mark.parametrize("name", ["alac.caf", "opus.caf", "speex.spx"])
def test_stored_formats_are_read_whole(name):
    recording, windows = read_windows(str(FORMATS / name), 16000, 30.0)
    assert len(list(windows)) == 1
    assert recording.duration_s == pytest.approx(1.5, abs=0.05)
    assert recording.peak > 0.3
    assert recording.reason == ""
