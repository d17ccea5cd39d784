"""Frames of MP3 behind tags."""

import soundfile

from serctl.audio.formats.views import FileView
from serctl.audio.opening import open_recording

EMPTY_TAG = b"ID3\x04\0\0\0\0\0\0"


def test_many_empty_tags_cost_their_length_and_no_more(tmp_path, make_signal, monkeypatch):
    """20 MB of them were read from each to the end, which took hours."""
    soundfile.write(tmp_path / "a.mp3", make_signal("speech", 32000, 16000), 16000)
    content = 100_000 * EMPTY_TAG + (tmp_path / "a.mp3").read_bytes()
    (tmp_path / "a.mp3").write_bytes(content)
    read, n_read = FileView.read, [0]

    def counted(self, n_bytes=-1):
        found = read(self, n_bytes)
        n_read[0] += len(found)
        return found

    monkeypatch.setattr(FileView, "read", counted)
    source = open_recording(str(tmp_path / "a.mp3"))
    assert len(source.read(16000)) >= 16000
    source.close()
    assert n_read[0] < 8 * len(content)
