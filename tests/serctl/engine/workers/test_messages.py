import io

import pytest

from serctl.engine.workers import messages
from serctl.engine.workers.messages import Message, Request


def test_a_request_reads_back():
    for request in (Request(), Request("/w\u00e4/x", "angry,sad", "cpu", 8, 3)):
        line = messages.request_line(request, 17)
        assert line.isascii()
        assert messages.read_request(line.encode()) == (request, 17)


def test_jobs_read_back_with_any_name():
    names = ["a.wav", "caf\udce9\n\x00 .wav", "\U0001f600"]
    lines = [messages.task_line(index, name) for index, name in enumerate(names)]
    assert all(line.isascii() and line.count("\n") == 1 for line in lines)
    sent = lines[0] + messages.END_OF_JOB + lines[1] + lines[2]
    jobs = [list(job) for job in messages.read_jobs(io.BytesIO(sent.encode()))]
    assert jobs == [[(0, names[0])], [(1, names[1]), (2, names[2])]]
    assert list(messages.read_jobs(io.BytesIO())) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (messages.message_line(messages.READY, text='{"a": 1}'), Message("R", -1, '{"a": 1}')),
        (messages.message_line(messages.BEGIN, 0), Message("b", 0, "")),
        (messages.message_line(messages.PROGRESS, 17), Message("w", 17, "")),
        (messages.message_line(messages.PROGRESS, 17, "0.25"), Message("w", 17, "0.25")),
        (messages.message_line(messages.END, 17, '"ab"'), Message("e", 17, '"ab"')),
        (messages.message_line(messages.ROW, 3, '{"a": 1}'), Message("r", 3, '{"a": 1}')),
        (messages.message_line(messages.SECONDS, text="{}"), Message("s", -1, "{}")),
        (messages.error_line("RunError", "no\nway"), Message("x", -1, '["RunError", "no\\nway"]')),
    ],
)
def test_messages_read_back(line, message):
    assert line.isascii()
    assert line.endswith("\n")
    assert messages.read_message(line.encode().removesuffix(b"\n")) == message
