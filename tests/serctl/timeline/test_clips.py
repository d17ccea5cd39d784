import os
import re

import numpy as np
import pytest
import soundfile

from serctl.errors import AudioError, UsageError
from serctl.results.segments import Segment
from serctl.timeline import clips
from serctl.timeline.clips import cut_spans, write_clips

RATE_HZ = 8000


def cut_all(spans_of, folder):
    assert os.path.isdir(folder)
    for path, spans in spans_of.items():
        yield from cut_spans(path, spans)


def segment(path, start_s, end_s, channel=None):
    return Segment(path, channel, "", start_s, end_s, 1.0, "angry", 0.9, (0.9, 0.1))


@pytest.fixture
def ramp(tmp_path, monkeypatch):
    """Path and samples [n_samples, 2] of a recording of two channels that is read in 12 blocks."""
    monkeypatch.setattr(clips, "BLOCK_S", 1.0)
    samples = np.stack([np.linspace(-0.9, 0.9, 12 * RATE_HZ), np.linspace(0.9, -0.9, 12 * RATE_HZ)])
    soundfile.write(tmp_path / "ramp.wav", samples.T, RATE_HZ, "PCM_16")
    return str(tmp_path / "ramp.wav"), soundfile.read(tmp_path / "ramp.wav")[0]


def test_each_segment_is_cut_with_what_is_around(ramp, tmp_path):
    path, samples = ramp
    segments = [segment(path, 7, 9, 2), segment(path, 0.2, 3, 1), segment(path, 6, 6.5, 1)]
    written = write_clips(segments, str(tmp_path / "m"), 0.5, False, cut_all)
    names = ["01-angry-0.90-ramp-channel2-00m07s.wav", "02-angry-0.90-ramp-channel1-00m00s.wav"]
    assert [os.path.basename(name) for name in written[:2]] == names
    assert sorted(os.listdir(tmp_path / "m")) == sorted(map(os.path.basename, written))
    for name, (start_s, end_s), channel in zip(
        written, [(6.5, 9.5), (0, 3.5), (5.5, 7)], [1, 0, 0], strict=True
    ):
        found, rate_hz = soundfile.read(name)
        assert rate_hz == RATE_HZ
        expected = samples[round(start_s * RATE_HZ) : round(end_s * RATE_HZ), channel]
        np.testing.assert_array_equal(found, expected)


def test_a_clip_ends_with_the_recording(ramp, tmp_path):
    path, samples = ramp
    (written,) = write_clips([segment(path, 10, 12, 1)], str(tmp_path / "m"), 5, False, cut_all)
    np.testing.assert_array_equal(soundfile.read(written)[0], samples[5 * RATE_HZ :, 0])


def test_existing_clips_are_not_replaced_unless_asked(ramp, tmp_path):
    segments, folder = [segment(ramp[0], 1, 2)], str(tmp_path / "m")
    (written,) = write_clips(segments, folder, 0, False, cut_all)
    with pytest.raises(UsageError, match=re.escape(written)):
        write_clips(segments, folder, 0, False, cut_all)
    assert write_clips(segments, folder, 0.1, True, cut_all) == [written]
    assert soundfile.info(written).frames == round(1.2 * RATE_HZ)


def test_a_recording_that_is_gone_is_named(tmp_path):
    gone = str(tmp_path / "gone.wav")
    with pytest.raises((AudioError, OSError), match=re.escape(gone)):
        write_clips([segment(gone, 1, 2)], str(tmp_path / "m"), 0, False, cut_all)
    assert os.listdir(tmp_path) == []  # nor the folder, since there is nothing in it
