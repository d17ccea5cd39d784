"""Messages between the parent of a run and its workers: lines of ASCII, each written and read here.

The parent writes to a worker's standard input::

    {...}           to the process that loads the model: the request, and the parent's process id
    [17, "a.wav"]   classify recording 17, or do what the request says
    [-1, "r.csv.journal", [[17, 4096], ...]]
                    classify recordings beside each other, those of one voice: places, and bytes at
                    which their lines begin in the journal

A worker writes to what was its standard output::

    R {...}         ready: the model, its hashes and the parameters
    b 17            recording 17: begun; only of workers that read several at a time
    w 17 0.25       recording 17: decoding makes progress; one every few seconds at most; the share
                    that is done, if it is known
    r 17 ab {...}   recording 17: hash of the file's content, or -, and of an object its size and
                    time, ab:1024:1700000000000000000; its row, as JSON of a results file, or what
                    else was asked for
    v 17 [...]      recording 17: its probabilities beside others; without them: still at its voice
    s {...}         seconds by stage (`serctl.timing`), when its input has ended
    x ["...", ...]  the worker cannot go on: class and message of the error

Both ends run the same version of serctl, so nothing here is versioned. This module imports nothing
heavy: the parent loads it.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

READY = "R"
BEGIN = "b"
PROGRESS = "w"
ROW = "r"
VOICE = "v"
SECONDS = "s"
ERROR = "x"

NO_HASH = "-"
OF_A_VOICE = -1  # in the place of a recording's number

CLASSIFY = "classify"
DESCRIBE = "describe"  # acoustic features
DECODE = "decode"  # samples of a short recording
CUT = "cut"  # stretches of a recording
OUTLINE = "outline"  # envelope and speech of a recording of any length

# Of a request, what results depend on beside the model.
TIMELINE_KEYS = (
    "speech",
    "window_s",
    "hop_s",
    "channels",
    "min_segment_s",
    "windows",
    "given_sha256",
    "min_confidence",
    "grouped",
)

Task = tuple[Any, ...]  # place in the scan, path, and the given stretches, if any are


@dataclass(frozen=True)
class Request:
    """What a worker does, and with what; as for `serctl.models.classifier.Classifier`.

    Attributes
    ----------
    model, emotions : str or None
        None for the default.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    batch_size : int
        Windows that a GPU computes at a time.
    workers : int or None
        Processes, or threads beside a GPU; None for the number of cores.
    speech, window_s, hop_s, channels
        As of `serctl.audio.windows.Windowing`.
    min_segment_s : float
        As of `serctl.timeline.segments.TimelineSpec`.
    windows : bool
        Whether every window of long recordings is wanted.
    given_sha256 : str or None
        Of the segments that are given, if they are (`serctl.timeline.matching`).
    min_confidence : float
        What is less probable is `serctl.results.schema.UNCERTAIN`.
    grouped : bool
        Whether recordings are to be classified beside the others of their voice, so that rows hold
        their embedding.
    timeout_s : float or None
        For each recording; None for no limit.
    action : str
        `CLASSIFY`; or one of the others, which `serctl.engine.workers.isolated` does.
    feature_set : str
        Of descriptions, one of `serctl.features.sets.SETS`.
    spool_folder : str or None
        Folder that arrays go to: frames of described recordings, if they are asked for, and samples.
    token : str
        For `serctl.files.downloads.folder_for`.
    """

    model: str | None = None
    emotions: str | None = None
    device: str = "auto"
    batch_size: int = 64
    workers: int | None = None
    speech: str = "auto"
    window_s: float = 4.0
    hop_s: float = 1.0
    channels: str = "mix"
    min_segment_s: float = 8.0
    windows: bool = False
    given_sha256: str | None = None
    min_confidence: float = 0.0
    grouped: bool = False
    timeout_s: float | None = None
    action: str = CLASSIFY
    feature_set: str = "report"
    spool_folder: str | None = None
    token: str = ""

    @property
    def knows_speakers(self) -> bool:
        """Whether windows may be known to be of one speaker: by channel, or as segments say."""
        return self.channels != "mix" or self.given_sha256 is not None


class Message(NamedTuple):
    """A line of the worker's.

    Attributes
    ----------
    kind : str
        `READY`, `BEGIN`, ...
    place : int
        Of the recording that it is about; -1 if it is about none.
    text : str
        The rest of the line: JSON, or nothing.
    """

    kind: str
    place: int
    text: str


def request_line(request: Request, parent: int, forking: int | None = None) -> str:
    """Line of a request; ``parent`` is the process id of who sends it.

    ``forking`` is the descriptor of a socket (`serctl.engine.workers.forking`), where there is one.
    """
    return json.dumps(asdict(request) | {"parent": parent, "forking": forking}) + "\n"


def read_request(line: bytes) -> tuple[Request, int, int | None]:
    """Request, process id of the parent, and descriptor of a socket or None."""
    values = json.loads(line)
    parent, forking = values.pop("parent"), values.pop("forking")
    return Request(**values), parent, forking


def task_line(index: int, path: str, given: Sequence[Any] | None = None) -> str:
    """Line of a recording to classify, with the stretches that are given for it, if any are."""
    return json.dumps([index, path] if given is None else [index, path, given]) + "\n"


def voice_line(journal: str, members: Sequence[tuple[int, int]]) -> str:
    """Line of a voice's recordings: places, and bytes at which their lines begin in a journal."""
    return json.dumps([OF_A_VOICE, journal, members]) + "\n"


def read_tasks(lines: Iterable[bytes]) -> Iterator[Task]:
    """Tasks, until the lines end."""
    return (tuple(json.loads(line)) for line in lines)


def message_line(kind: str, index: int = -1, text: str = "") -> str:
    """Line of a message about a recording, or about none; ``text`` is ASCII without line feeds."""
    return " ".join(filter(None, (kind, "" if index < 0 else str(index), text))) + "\n"


def row_line(index: int, content: str, row: str) -> str:
    """Line of a recording's row, with the hash of its file's content, or without if it is empty."""
    return message_line(ROW, index, f"{content or NO_HASH} {row}")


def object_content(content: str, size: int, mtime_ns: int) -> str:
    """Hash of an object's content with its size and time, in the place of the hash alone."""
    return f"{content}:{size}:{mtime_ns}"


def read_content(text: str) -> tuple[str, tuple[int, int] | None]:
    """Hash of a file's content, or empty, and size and time if it is an object's."""
    content, *known = text.split(":")
    size_and_time = (int(known[0]), int(known[1])) if known else None
    return "" if content == NO_HASH else content, size_and_time


def late_reason(timeout_s: float) -> str:
    """Why a recording that takes longer than ``timeout_s`` has failed."""
    return f"Not finished after {timeout_s:g} s, the limit set by --timeout."


def error_line(error_class: str, message: str) -> str:
    """Line of the error that ends a worker; the class is one of `serctl.errors`, or empty."""
    return message_line(ERROR, text=json.dumps([error_class, message]))


def read_message(line: bytes) -> Message:
    """Message of a worker, from its line without the line feed."""
    kind, _, rest = line.decode("ascii").partition(" ")
    if kind in (READY, SECONDS, ERROR):
        return Message(kind, -1, rest)
    index, _, text = rest.partition(" ")
    return Message(kind, int(index), text)
