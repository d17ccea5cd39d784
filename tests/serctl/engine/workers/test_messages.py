import io

import pytest

from serctl.engine.workers import messages
from serctl.engine.workers.messages import Message, Request


def test_a_request_reads_back():
    for request in (Request(), Request("/w\u00e4/x", "angry,sad", "cpu", 8, 3)):
        for forking in (None, 5):
            line = messages.request_line(request, 17, forking)
            assert line.isascii()
            assert messages.read_request(line.encode()) == (request, 17, forking)


def test_tasks_read_back_with_any_name():
    names = ["a.wav", "caf\udce9\n\x00 .wav", "\U0001f600"]
    lines = [messages.task_line(index, name) for index, name in enumerate(names)]
    assert all(line.isascii() and line.count("\n") == 1 for line in lines)
    sent = io.BytesIO("".join(lines).encode())
    assert list(messages.read_tasks(sent)) == list(enumerate(names))
    assert list(messages.read_tasks(io.BytesIO())) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (messages.message_line(messages.READY, text='{"a": 1}'), Message("R", -1, '{"a": 1}')),
        (messages.message_line(messages.BEGIN, 0), Message("b", 0, "")),
        (messages.message_line(messages.PROGRESS, 17), Message("w", 17, "")),
        (messages.message_line(messages.PROGRESS, 17, "0.25"), Message("w", 17, "0.25")),
        (messages.row_line(17, "ab", "{}"), Message("r", 17, "ab {}")),
        (messages.row_line(17, "", "{}"), Message("r", 17, "- {}")),
        (messages.message_line(messages.ROW, 3, '{"a": 1}'), Message("r", 3, '{"a": 1}')),
        (messages.message_line(messages.SECONDS, text="{}"), Message("s", -1, "{}")),
        (messages.error_line("RunError", "no\nway"), Message("x", -1, '["RunError", "no\\nway"]')),
    ],
)
def test_messages_read_back(line, message):
    assert line.isascii()
    assert line.endswith("\n")
    assert messages.read_message(line.encode().removesuffix(b"\n")) == message
