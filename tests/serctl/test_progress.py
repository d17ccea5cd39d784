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


class Clock:
    """A clock that goes on by four seconds whenever it is looked at."""

    now_s = 0.0

    def monotonic(self):
        self.now_s += 4.0
        return self.now_s


def test_within_a_long_item_plain_lines_go_on(monkeypatch, capsys):
    monkeypatch.setattr(progress, "time", Clock())
    watchers = []

    def items():
        for share in (0.1, 0.2, 0.3, 0.4, 0.5):
            watchers[0](share)
        yield "a"

    assert list(progress.progress(items(), 1, "Classifying", "recording", watchers.append)) == ["a"]
    assert capsys.readouterr().err == ("Classifying: 0 of 1 recordings (30%), about 28 s left\n")


def test_within_a_long_item_the_bar_moves(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    watchers = []

    def items():
        watchers[0](0.254)
        yield "a"
        watchers[0](0.5)
        yield "b"

    assert list(progress.progress(items(), 2, "Classifying", "recording", watchers.append)) == list(
        "ab"
    )
    shown = capsys.readouterr().err
    for words in ("Classifying:  12%|", " 0.25/2 ", "Classifying:  75%|", " 1.5/2 "):
        assert words in shown
