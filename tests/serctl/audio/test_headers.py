"""Headers of WAV, AIFF and AU that are wrong about what follows them."""

import os

import numpy as np
import pytest
from support.sparse_audio import BYTES_PER_FRAME, RATE_HZ, write_sparse_wav

from serctl.audio.formats.headers import Part, Samples, parts_of
from serctl.audio.formats.views import FileView
from serctl.audio.opening import open_recording

WRAP_S = 2**32 / (RATE_HZ * BYTES_PER_FRAME)  # 74.6 hours


def test_a_size_that_wrapped_at_4_gib_is_read_on(tmp_path):
    """A recorder that does not look leaves a minute of three days, and the rest behind it."""
    path = write_sparse_wav(tmp_path / "a.wav", round(WRAP_S) + 60, wrapped=True, noise=[60, 61])
    size = os.path.getsize(path)
    assert size > 2**32
    with FileView(path) as view:
        (part,) = parts_of(view)
    assert part == Part(
        44, size, Samples("PCM_16", "LITTLE", RATE_HZ, 1, BYTES_PER_FRAME), part.promised_s
    )
    assert part.promised_s == pytest.approx(60, abs=1)
    source = open_recording(path)
    samples = source.read(62 * RATE_HZ)
    source.close()
    assert len(samples) == 62 * RATE_HZ
    assert np.abs(samples[60 * RATE_HZ :].astype(float)).mean() > 1000


def test_a_size_that_cannot_be_stated_is_all_that_follows(tmp_path):
    path = write_sparse_wav(tmp_path / "a.wav", round(WRAP_S) + 60, noise=[60])
    with FileView(path) as view:
        assert parts_of(view) == []  # its header is trusted: it says that it does not know
