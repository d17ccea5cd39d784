"""The parent's part: the recordings of a journal, each beside the others of its voice.

A row of the journal is that of its recording alone, with its embedding. What a recording is beside
the others of its voice is computed from these whenever results are written, so that it does not
depend on the order in which recordings were read, nor on interruptions. Rows that ``--retry-failed``
takes from results have no embedding: they hold as long as exactly the same recordings have their
voice, and are classified again otherwise.
"""

import json
from array import array
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from serctl.engine.journal import Journal
from serctl.engine.voices.grouping import VoiceSource
from serctl.engine.workers import messages
from serctl.engine.workers.messages import voice_line
from serctl.engine.workers.supervisor import Supervisor
from serctl.results.schema import EMBEDDING_KEY, Result
from serctl.text import count


class Together:
    """Recordings of a journal and their voices.

    Parameters
    ----------
    journal : Journal
        With a row for every recording of the scan.
    voices : sequence of str
        Of each recording; empty for those that are alone.
    source : VoiceSource
        What they come from.

    Attributes
    ----------
    stale : list of int
        Recordings whose row holds no longer, and that must be classified again: then this is to
        be made anew.
    """

    def __init__(self, journal: Journal, voices: Sequence[str], source: VoiceSource) -> None:
        self._voices = voices
        self._source = source
        self._members: dict[str, list[int]] = {voice: [] for voice in voices if voice}
        kept: dict[int, tuple[str, int | None]] = {}  # of rows without embedding
        for place, (_, row) in enumerate(journal.rows()):
            if row["status"] != "ok":
                continue
            if voices[place]:
                self._members[voices[place]].append(place)
            if EMBEDDING_KEY not in row:
                kept[place] = (row["voice"], row["voice_n"])
        self._computed = {
            voice: places
            for voice, places in self._members.items()
            if any(kept.get(place) != (voice, len(places)) for place in places)
        }
        self.stale = [
            place
            for place, (voice, _) in kept.items()
            if voices[place] in self._computed or voice != voices[place]
        ]
        self._journal = journal
        self._emotions: Sequence[str] = ()
        self._min_confidence = 0.0
        self._shares = array("d")  # of each recording and emotion, where they are known
        self._is_known = bytearray(len(voices))

    def classify(
        self, supervisor: Supervisor, emotions: Sequence[str], min_confidence: float
    ) -> None:
        """Have a worker compute the probabilities of all recordings beside others.

        Parameters
        ----------
        supervisor : Supervisor
            Of the worker.
        emotions : sequence of str
            Of the run.
        min_confidence : float
            As of `serctl.results.schema.Result.labelled`.

        Raises
        ------
        SerctlError
            If the worker cannot go on.
        """
        self._emotions, self._min_confidence = emotions, min_confidence
        self._shares = array("d", bytes(8 * len(emotions) * len(self._voices)))
        # A recording whose voice has no other has the row that it has alone.
        together = [places for places in self._computed.values() if len(places) > 1]
        n_left = sum(map(len, together))
        if not n_left:
            return
        offsets = self._journal.offsets
        lines = (
            voice_line(self._journal.path, [(place, offsets[place]) for place in places])
            for places in together
        )
        for message in supervisor.job(lines):
            if message.kind != messages.VOICE or not message.text:
                continue
            first = message.place * len(emotions)
            self._shares[first : first + len(emotions)] = array("d", json.loads(message.text))
            self._is_known[message.place] = 1
            n_left -= 1
            if not n_left:
                return

    def result(self, place: int, result: Result) -> Result:
        """Result of a recording beside the others of its voice, from the result of it alone."""
        if self._is_known[place]:
            first = place * len(self._emotions)
            shares = self._shares[first : first + len(self._emotions)]
            result = result.labelled(shares.tolist(), self._emotions, self._min_confidence)
        voice = self._voices[place]
        n = len(self._members[voice]) if voice and result.status == "ok" else None
        return replace(result, voice=voice, voice_n=n)

    def record(self) -> dict[str, Any]:
        """What voices come from, and how many recordings of each are classified, for a run's record."""
        return {
            "from": self._source.kind,
            "value": self._source.value,
            "table_sha256": self._source.sha256,
            "n_alone": self._n_alone,
            "n_recordings": {voice: len(places) for voice, places in self._members.items()},
        }

    def __str__(self) -> str:
        """Voices, their sizes and recordings without a voice, in one line."""
        sizes = [len(places) for places in self._members.values()]
        few, many = min(sizes), max(sizes)
        of_each = count(many, "recording") if few == many else f"{few} to {many} recordings"
        line = f"Voices: {len(sizes)}, with {of_each}{' each' if len(sizes) > 1 else ''}."
        if many < 2:
            line += " None has two recordings, so that each was classified alone."
        if self._n_alone:
            line += f" Recordings without a voice, classified alone: {self._n_alone}."
        return line

    @property
    def _n_alone(self) -> int:
        return sum(not voice for voice in self._voices)
