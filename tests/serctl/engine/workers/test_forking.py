import json
import os
import signal
import subprocess
import sys

import pytest

from serctl.engine.workers import forking
from serctl.engine.workers.child import COMMAND
from serctl.engine.workers.forking import ForkServer
from serctl.engine.workers.messages import Request, request_line, task_line
from serctl.system import CAN_FORK

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="this system cannot fork safely")

SERVE = (
    "import os, sys; from serctl.engine.workers.forking import serve\n"
    "try: ends = serve(int(sys.argv[1]))\n"
    "except EOFError: sys.exit(3)\n"
    "if ends is None: sys.exit(4)\n"
    "line = open(ends[0]).readline()\n"
    "if 'stay' in line: open(ends[0]).readline()\n"
    "os.write(ends[1], line.upper().encode()); os._exit(5)"
)


@pytest.fixture
def started():
    """A server, and the process that forks for it."""
    server = ForkServer()
    descriptor = server.child_end.fileno()
    command = [sys.executable, "-P", "-c", SERVE, str(descriptor)]
    with subprocess.Popen(command, pass_fds=[descriptor]) as process:
        server.child_end.close()
        yield server, process
        server.close()


def test_a_worker_has_pipes_of_its_own_and_an_exit_status(started):
    server, _ = started
    workers = [server.fork() for _ in range(3)]
    for i, (_, tasks, messages) in enumerate(workers):
        with tasks, messages:
            tasks.write(b"task %d\n" % i)
            tasks.flush()
            assert messages.readall() == b"TASK %d\n" % i
    assert [server.status(pid) for pid, *_ in workers] == [5, 5, 5]


def test_a_worker_is_killed_and_the_others_are_not(started):
    server, process = started
    (one, *ends), (_, tasks, messages) = server.fork(), server.fork()
    server.kill(one)
    assert server.status(one) == -signal.SIGKILL
    with pytest.raises(ChildProcessError):
        server.status(one)
    with tasks, messages, ends[0], ends[1]:
        tasks.write(b"a\n")
        tasks.flush()
        assert messages.readall() == b"A\n"
    server.close()
    assert process.wait(5) == 3  # once all that it forked have ended


def test_a_process_that_is_to_work_itself_forks_none(started):
    server, process = started
    server.work()
    assert process.wait(5) == 4
    with pytest.raises(ConnectionError):
        server.fork()


def test_a_system_that_refuses_is_said(monkeypatch):
    server = ForkServer()

    def refuse():
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    forks = forking.socket.send_fds(server._socket, [forking.FORK], [os.dup(0), os.dup(0)])
    server._socket.shutdown(forking.socket.SHUT_WR)
    assert forks
    with pytest.raises(EOFError):
        forking.serve(server.child_end.detach())
    with pytest.raises(OSError, match="Resource temporarily unavailable"):
        server._reply()
    server.close()


def test_a_worker_shares_the_model_and_reads_on_its_own(tiny_folder, write_recording):
    paths = [write_recording(f"{i}.wav", "noise", 0.3) for i in range(2)]
    server = ForkServer()
    descriptor = server.child_end.fileno()
    request = Request(str(tiny_folder), device="cpu", speech="off")
    with subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[descriptor]
    ) as process:
        server.child_end.close()
        process.stdin.write(request_line(request, os.getpid(), descriptor).encode())
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"R ")
        for path in paths:
            _, tasks, messages = server.fork()
            with tasks, messages:
                tasks.write(task_line(7, path).encode())
                tasks.close()
                row, seconds = messages.readall().splitlines()
            assert row.startswith(b"r 7 ")
            assert json.loads(row.split(b" ", 3)[3])["status"] == "ok"
            assert json.loads(seconds.removeprefix(b"s "))["network"] > 0
        server.close()
