"""The worker's part: embeddings in the rows of a journal, and recordings beside their voice's others.

The row of a recording holds its embedding, so that no recording is decoded twice, and a run that was
interrupted goes on. Embeddings are read from the journal again voice by voice, and one at a time
where a voice has many.
"""

import base64
import json
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from serctl.engine.journal_format import read_row
from serctl.engine.workers import messages
from serctl.engine.workers.messages import Task, message_line
from serctl.errors import ResultsError
from serctl.models.voices import probabilities_by_voice
from serctl.results.schema import EMBEDDING_KEY

if TYPE_CHECKING:
    from serctl.engine.workers.channel import Channel
    from serctl.models.classifier import Classifier

DTYPE = "<f4"
STILL_AT_WORK_S = 5.0  # between messages while a voice with many recordings is read


def packed(embedding: NDArray[np.float32]) -> str:
    """An embedding as text: 4 bytes for each number, in base 64."""
    return base64.b64encode(embedding.astype(DTYPE).tobytes()).decode("ascii")


def unpacked(text: str) -> NDArray[np.float32]:
    """Embedding of `packed` text."""
    return np.frombuffer(base64.b64decode(text), DTYPE)


def classify_voices(classifier: "Classifier", tasks: Iterable[Task], channel: "Channel") -> None:
    """Send the probabilities of recordings, each beside the others of its voice.

    Parameters
    ----------
    classifier : Classifier
        One that has ``voice_heads``.
    tasks : iterable of tuple
        One for each voice, as `serctl.engine.workers.messages.voice_line` writes them.
    channel : Channel
        To the parent.

    Raises
    ------
    ResultsError
        If the journal cannot be read, or a line of it is damaged.
    """
    for _, journal, members in tasks:
        try:
            with open(journal, "rb") as file:
                embeddings = _Embeddings(file, dict(members), classifier.emotions, channel)
                places = [place for place, _ in members]
                for place, found in probabilities_by_voice(classifier, [places], embeddings.read):
                    channel.send(message_line(messages.VOICE, place, json.dumps(found)))
        except OSError as error:
            raise ResultsError(f"{journal}: cannot be read ({error.strerror}).") from error


class _Embeddings:
    """Embeddings of one voice, by place; the parent gets a message now and then."""

    def __init__(
        self,
        file: BinaryIO,
        offsets: dict[int, int],
        emotions: tuple[str, ...],
        channel: "Channel",
    ) -> None:
        self._file = file
        self._offsets = offsets
        self._emotions = emotions
        self._channel = channel
        self._sent_s = time.monotonic()

    def read(self, place: int) -> NDArray[np.float32]:
        """Embedding of a place; ResultsError if its line is damaged."""
        now_s = time.monotonic()
        if now_s - self._sent_s > STILL_AT_WORK_S:
            self._sent_s = now_s
            self._channel.send(message_line(messages.VOICE, place))
        if self._file.tell() != self._offsets[place]:
            self._file.seek(self._offsets[place])
        record = read_row(self._file.readline(), self._emotions)
        if record is None or EMBEDDING_KEY not in record.row:
            raise ResultsError(
                f"{self._file.name}: the row at byte {self._offsets[place]} is damaged since it was "
                "written. Check the disk, and continue with --resume."
            )
        return unpacked(record.row[EMBEDDING_KEY])
