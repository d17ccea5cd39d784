"""Files for other programs, one a recording and format, in a folder that mirrors the recordings'.

A file is named after the recording with its extension, ``talk.wav.TextGrid``, so that ``talk.wav``
and ``talk.mp3`` have files of their own.
"""

import os
from collections.abc import Sequence

from serctl.errors import ResultsError, UsageError
from serctl.files.outputs import atomic_write
from serctl.results.segments import Segment
from serctl.timeline.exports import FORMATS


def parse_formats(text: str) -> tuple[str, ...]:
    """Formats named in a list with commas; UsageError if one is unknown."""
    named = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    unknown = [name for name in named if name not in FORMATS]
    if unknown or not named:
        raise UsageError(
            f"{text!r}: {', '.join(unknown) or 'nothing'} is not one of {', '.join(FORMATS)}."
        )
    return named


class ExportFolder:
    """Folder of exports of one run.

    Parameters
    ----------
    folder : str
        It is made if it is not there.
    formats : sequence of str
        Of `serctl.timeline.exports.FORMATS`.
    """

    def __init__(self, folder: str, formats: Sequence[str]) -> None:
        self._folder = folder
        self._formats = formats
        self._taken: set[str] = set()

    def write(self, path: str, segments: Sequence[Segment], duration_s: float) -> list[str]:
        """Write the files of one recording.

        Parameters
        ----------
        path : str
            Of the recording, as in the results.
        segments : sequence of Segment
            Of all its channels.
        duration_s : float
            Of the recording.

        Returns
        -------
        list of str
            Their paths; one that is there is replaced.

        Raises
        ------
        ResultsError
            If one cannot be written.
        """
        stem = self._stem(path)
        try:
            os.makedirs(os.path.dirname(stem), exist_ok=True)
        except OSError as error:
            raise ResultsError(
                f"{os.path.dirname(stem)}: the folder cannot be made ({error.strerror}). Choose "
                "another --segments-dir."
            ) from error
        ordered = sorted(segments, key=lambda segment: (segment.start_s, segment.channel or 0))
        media = os.path.abspath(path)
        written = []
        for name in self._formats:
            make, extension = FORMATS[name]
            text = make(ordered, media, duration_s)
            with atomic_write(stem + extension) as partial, open(partial, "wb") as file:
                file.write(text.encode("utf-8", "surrogateescape"))
            written.append(stem + extension)
        return written

    def _stem(self, path: str) -> str:
        """Path of its files without their extension, below the folder, and of no other recording."""
        inside = os.path.normpath(path)
        if os.path.isabs(inside) or inside.split(os.sep)[0] == os.pardir:
            inside = os.path.splitdrive(os.path.abspath(inside))[1].lstrip(os.sep)
        stem, number = inside, 1
        while stem in self._taken:
            number += 1
            stem = f"{inside}-{number}"
        self._taken.add(stem)
        return os.path.join(self._folder, stem)
