"""Which segments that another program found belong to which recording.

Formats that name their recordings (CSV, RTTM) are matched by path, then by name, then by name
without extension. The others hold one recording: a file of that name in a folder, or the only
recording there is.
"""

import hashlib
import os
from collections.abc import Sequence

from serctl.errors import LabelsError
from serctl.timeline.given import READERS, GivenSegment, read_given


class GivenSegments:
    """Segments in a file, or in the files of a folder.

    Parameters
    ----------
    path : str
        A file with one of the extensions of `serctl.timeline.given.READERS`, or a folder of such.
    tier : str, optional
        As `serctl.timeline.given.read_given` takes it.

    Attributes
    ----------
    sha256 : str
        Of all that was read, in hexadecimal.

    Raises
    ------
    PathError, UsageError, LabelsError
        As `serctl.timeline.given.read_given`.
    """

    def __init__(self, path: str, tier: str | None = None) -> None:
        self._path = path
        self._is_file = not os.path.isdir(path)
        self._by_name: dict[str, list[GivenSegment]] = {}
        files = [path]
        if not self._is_file:
            files = [
                os.path.join(folder, name)
                for folder, _, names in sorted(os.walk(path))
                for name in sorted(names)
                if os.path.splitext(name)[1].lower() in READERS
            ]
        digest = hashlib.sha256()
        for file in files:
            for segment in read_given(file, tier):
                name = segment.recording or os.path.splitext(os.path.basename(file))[0]
                self._by_name.setdefault(name, []).append(segment)
                digest.update(repr(segment).encode("utf-8", "surrogatepass"))
        self.sha256 = digest.hexdigest()

    def of_recordings(self, recordings: Sequence[str]) -> dict[str, list[GivenSegment]]:
        """Segments of each recording, in the order of time.

        Parameters
        ----------
        recordings : sequence of str
            Paths.

        Raises
        ------
        LabelsError
            If none of the segments belongs to any recording.
        """
        found: dict[str, list[GivenSegment]] = {}
        for recording in recordings:
            name = os.path.basename(recording)
            for key in (recording, os.path.normpath(recording), name, os.path.splitext(name)[0]):
                if key in self._by_name:
                    found[recording] = self._by_name[key]
                    break
        every = [segment for segments in self._by_name.values() for segment in segments]
        if not found and len(recordings) == 1 and self._is_file:
            if all(not segment.recording for segment in every):
                found[recordings[0]] = every
        if recordings and not found:
            named = ", ".join(sorted(self._by_name)[:3]) or "none"
            raise LabelsError(
                f"{self._path}: no segments of these recordings; it has some of {named}. Name the "
                "recordings by their paths or file names."
            )
        order = {
            path: sorted(held, key=lambda s: (s.start_s, s.end_s)) for path, held in found.items()
        }
        return order
