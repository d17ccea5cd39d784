import io

import pytest

from serctl import progress


class Gone(io.StringIO):
    """A terminal that has gone away."""

    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")


@pytest.mark.parametrize("stderr", [Gone, io.StringIO])
def test_a_terminal_that_goes_away_ends_nothing(monkeypatch, stderr):
    monkeypatch.setattr(progress, "PLAIN_LINE_EVERY_S", 0.0)
    monkeypatch.setattr("sys.stderr", said := stderr())
    items = list(progress.progress(range(5), 5, "Classifying", "recording"))
    assert items == [0, 1, 2, 3, 4]
    if stderr is io.StringIO:
        assert "Classifying: 1 of 5 recordings (20%), about" in said.getvalue()
