"""Messages between the parent of a run and its worker: lines of ASCII, each written and read here.

The parent writes to the worker's standard input::

    {...}           the request, and the parent's process id
    [17, "a.wav"]   classify recording 17, or do what the request says
    [-1, "r.csv.journal", [[17, 4096], ...]]
                    classify recordings beside each other, those of one voice: places, and bytes at
                    which their lines begin in the journal; a job has such tasks alone, or none
                    an empty line ends a job: all its rows are sent before the next job begins

The worker writes to what was its standard output::

    R {...}         ready: the model, its hashes and the parameters
    b 17            recording 17: decoding begins
    w 17 0.25       recording 17: decoding makes progress; one every few seconds at most; the share
                    that is done, if it is known
    e 17 "..."      recording 17: decoding ends; hash of the file's content, as JSON
    r 17 {...}      recording 17: its row, as JSON of a results file, or what else was asked for
    v 17 [...]      recording 17: its probabilities beside others; without them: still at its voice
    s {...}         the job is done: seconds by stage (`serctl.timing`) since the process began
    x ["...", ...]  the worker cannot go on: class and message of the error

Both ends run the same version of serctl, so nothing here is versioned. This module imports nothing
heavy: the parent loads it.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, takewhile
from typing import Any, BinaryIO, NamedTuple

READY = "R"
BEGIN = "b"
PROGRESS = "w"
END = "e"
ROW = "r"
VOICE = "v"
SECONDS = "s"
ERROR = "x"

END_OF_JOB = "\n"
OF_A_VOICE = -1  # in the place of a recording's number

CLASSIFY = "classify"
DESCRIBE = "describe"  # acoustic features
DECODE = "decode"  # samples of a short recording
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
        Threads; None for the number of cores.
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


def request_line(request: Request, parent: int) -> str:
    """Line of a request; ``parent`` is the process id of who sends it."""
    return json.dumps(asdict(request) | {"parent": parent}) + "\n"


def read_request(line: bytes) -> tuple[Request, int]:
    """Request and process id of the parent."""
    values = json.loads(line)
    parent = values.pop("parent")
    return Request(**values), parent


def task_line(index: int, path: str, given: Sequence[Any] | None = None) -> str:
    """Line of a recording to classify, with the stretches that are given for it, if any are."""
    return json.dumps([index, path] if given is None else [index, path, given]) + "\n"


def voice_line(journal: str, members: Sequence[tuple[int, int]]) -> str:
    """Line of a voice's recordings: places, and bytes at which their lines begin in a journal."""
    return json.dumps([OF_A_VOICE, journal, members]) + "\n"


def read_jobs(lines: BinaryIO) -> Iterator[Iterator[Task]]:
    """Jobs, each an iterator over its tasks, until the lines end."""
    for line in lines:
        job = chain([line], takewhile(bytes.strip, lines))
        yield (tuple(json.loads(line)) for line in job if line.strip())


def message_line(kind: str, index: int = -1, text: str = "") -> str:
    """Line of a message about a recording, or about none; ``text`` is ASCII without line feeds."""
    return " ".join(filter(None, (kind, "" if index < 0 else str(index), text))) + "\n"


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
