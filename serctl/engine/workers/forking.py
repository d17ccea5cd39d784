"""Workers that are forked from a process that has loaded the model, on Linux.

A fork takes milliseconds where a start takes a second, and its memory is shared until it is written
to. The process that has loaded the model does as its parent asks over a socket: it forks a worker,
ends one, or says how one ended. A worker's pipes are the parent's own, so that it reads from all
workers itself.
"""

import os
import signal
import socket
from contextlib import closing
from typing import BinaryIO

FORK, KILL, WAIT, WORK = b"fork", b"kill", b"wait", b"work"
LONGEST_BYTES = 64


class ForkServer:
    """The parent's end of the socket.

    Attributes
    ----------
    child_end : socket
        For the process that forks; closed once that is started.
    """

    def __init__(self) -> None:
        # Its messages keep their borders, so that descriptors go with the one that they belong to.
        self._socket, self.child_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def fork(self) -> tuple[int, BinaryIO, BinaryIO]:
        """Fork a worker.

        Returns
        -------
        pid : int
            Of the worker.
        tasks, messages : binary file
            To and from it.

        Raises
        ------
        OSError
            If the system refuses, or the process that forks has ended.
        """
        tasks_end, tasks = os.pipe()
        messages, messages_end = os.pipe()
        try:
            socket.send_fds(self._socket, [FORK], [tasks_end, messages_end])
            pid = self._reply()
        except BaseException:
            os.close(tasks)
            os.close(messages)
            raise
        finally:
            os.close(tasks_end)
            os.close(messages_end)
        return pid, open(tasks, "wb"), open(messages, "rb", buffering=0)

    def kill(self, pid: int) -> None:
        """End a worker; it may have ended already. OSError as `fork`."""
        self._socket.send(b"%s %d" % (KILL, pid))
        self._reply()

    def status(self, pid: int) -> int:
        """Exit status of a worker that has ended, negative for a signal. OSError as `fork`."""
        self._socket.send(b"%s %d" % (WAIT, pid))
        return os.waitstatus_to_exitcode(self._reply())

    def work(self) -> None:
        """Have the process that has loaded the model be the only worker, and fork none."""
        self._socket.send(WORK)

    def close(self) -> None:
        """Have the process that forks end."""
        self._socket.close()

    def _reply(self) -> int:
        error, _, number = self._socket.recv(LONGEST_BYTES).partition(b" ")
        if not error:
            raise ConnectionResetError("the process that forks has ended")
        if int(error):
            raise OSError(int(error), os.strerror(int(error)))
        return int(number)


def serve(descriptor: int) -> tuple[int, int] | None:
    """Do what the parent asks, in the process that has loaded the model.

    Parameters
    ----------
    descriptor : int
        Of `ForkServer.child_end`.

    Returns
    -------
    tuple of int, or None
        In a worker that was forked: descriptors of its tasks and of its messages. None if this
        process is to be the only worker.

    Raises
    ------
    EOFError
        If the parent has closed its end.
    """
    forked: set[int] = set()
    with closing(socket.socket(fileno=descriptor)) as connection:
        while True:
            data, descriptors, *_ = socket.recv_fds(connection, LONGEST_BYTES, 2)
            word, _, number = data.partition(b" ")
            if not word:
                for pid in forked:  # so that this process's times have theirs
                    os.waitpid(pid, 0)
                raise EOFError
            if word == WORK:
                return None
            error, answer = 0, 0
            try:
                if word == FORK:
                    answer = os.fork()
                    if not answer:
                        tasks, messages = descriptors
                        return tasks, messages
                    forked.add(answer)
                elif word == KILL:
                    os.kill(int(number), signal.SIGKILL)
                else:
                    _, answer = os.waitpid(int(number), 0)
                    forked.discard(int(number))
            except OSError as refused:
                error = refused.errno or 1
            finally:
                if answer or error:
                    for end in descriptors:
                        os.close(end)
            connection.send(b"%d %d" % (error, answer))
