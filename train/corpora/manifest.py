"""The four corpora as they lie on people's disks: file names to clips, and clips to one table.

A clip is known by its corpus and its stem (its file name without the extension), never by content:
three pairs of CREMA-D hold the same bytes under different labels. Its name alone is read, whatever
folders a download came in; SAVEE's second layout alone needs the folder above, which names the
speaker. A name is taken only if the manifest has that clip, so that no foreign file is claimed by
accident.

``manifest.csv`` lists all 12162 clips with the SHA-256 of every original. Nothing here decodes or
hashes audio (`serctl.train.corpora.survey` does); what is absent or incomplete raises `CorporaError`.
"""

import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath

import pandas as pd

from serctl.audio.formats.names import AUDIO_EXTENSIONS
from serctl.errors import CorporaError
from serctl.train.corpora.clip_names import ClipName, is_song, read_clip_name

CORPORA = ("crema-d", "ravdess", "savee", "tess")

# What a download may look like, how many clips it has, and where it is available.
SOURCES = {
    "crema-d": """\
  CREMA-D/AudioWAV/1001_DFA_ANG_XX.wav            7442 clips
    https://github.com/CheyneyComputerScience/CREMA-D (needs Git LFS)""",
    "ravdess": """\
  RAVDESS/Actor_01/03-01-01-01-01-01-01.wav       1440 clips
    https://zenodo.org/records/1188976 (Audio_Speech_Actors_01-24.zip)""",
    "savee": """\
  SAVEE/ALL/DC_a01.wav or AudioData/DC/a01.wav     480 clips
    http://kahlan.eps.surrey.ac.uk/savee (University of Surrey, by registration)""",
    "tess": """\
  TESS/OAF_angry/OAF_back_angry.wav               2800 clips
    https://doi.org/10.5683/SP2/E8H2MF (University of Toronto Dataverse)""",
}
WHERE_THE_CORPORA_ARE = "\n".join(
    (
        "Give a folder, or set SERCTL_CORPORA to one, that has all four corpora below it,",
        "in whatever folders and audio format, such as",
        *SOURCES.values(),
    )
)


@dataclass
class FoundClips:
    """The audio files below a folder, sorted by what their names say.

    Parameters
    ----------
    copies : dict
        From (corpus, clip) to the paths that hold that clip, the one to use first.
    songs : list of str
        RAVDESS's song clips, which are not speech.
    unknown : list of str
        Audio files whose names are not of a clip of the four corpora.
    """

    copies: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    songs: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def parse_clip_name(path: str | PurePath) -> ClipName | None:
    """Corpus, clip, speaker and emotion that a path names.

    Parameters
    ----------
    path : str or PurePath
        Any path to an audio file, which need not exist. Only the file name is read, and for SAVEE's
        second layout (``AudioData/DC/a01.wav``) the folder above it. Case does not matter.

    Returns
    -------
    ClipName, or None if this is not the name of one of the manifest's clips
    """
    name = read_clip_name(path)
    return name if name is not None and (name.corpus, name.clip) in _manifest_keys() else None


def manifest() -> pd.DataFrame:
    """Every clip of the four corpora, with the SHA-256 of the original file.

    Returns
    -------
    DataFrame of 12162 rows, a copy of the reader's own
        corpus, clip, path (in a usual layout), speaker, emotion, fold (0 to 4), test (bool, whether
        it is tested when its fold is held out), emobox (fold of EmoBox's split of its corpus in
        which it is tested, from 1 on, or 0 if in none), seconds, rate_hz, bytes, sha256.
    """
    return _read_manifest().copy()


def clip_table(root: str | os.PathLike[str]) -> pd.DataFrame:
    """Clips below a folder, as training uses them.

    Quick: nothing is decoded or hashed. Of several copies of a clip one is taken, the first in path
    order whose size is the original's, or else the first.

    Parameters
    ----------
    root : path
        A folder with the four complete corpora below it, in any layout.

    Returns
    -------
    DataFrame of 12162 rows, sorted by corpus and clip
        path (str, ``root`` joined with what is below it), corpus, clip, speaker, emotion, fold,
        test, emobox.

    Raises
    ------
    CorporaError
        If ``root`` is not a folder, or if any clip of the four corpora is missing below it.
    """
    found = find_clips(root)
    if not found.copies:
        raise absent_error(root, found)
    missing = missing_clips(found.copies)
    if missing:
        n_clips = manifest()["corpus"].value_counts()
        counts = "\n".join(
            f"  {corpus}: {n_clips[corpus] - len(clips)} of {n_clips[corpus]} clips, without "
            f"{', '.join(clips[:3])}{' ...' if len(clips) > 3 else ''}"
            for corpus, clips in missing.items()
        )
        raise CorporaError(
            f"{os.fspath(root)}: these corpora are incomplete, and all four are needed whole:\n"
            f"{counts}\n`serctl corpora {os.fspath(root)}` lists the missing clips.\n"
            f"{WHERE_THE_CORPORA_ARE}"
        )
    return chosen_clips(found.copies)


def absent_error(root: str | os.PathLike[str], found: FoundClips) -> CorporaError:
    """Error for a folder without a clip of the four corpora below it."""
    others = len(found.songs) + len(found.unknown)
    return CorporaError(
        f"{os.fspath(root)}: no clip of the four corpora below it; {others} audio files of other "
        f"names.\n{WHERE_THE_CORPORA_ARE}"
    )


def find_clips(root: str | os.PathLike[str]) -> FoundClips:
    """Sort the audio files below a folder by what their names say.

    Hidden files and folders (and so macOS's ``._*``) are passed over. Linked folders are followed,
    each folder once.

    Parameters
    ----------
    root : path
        A folder.

    Returns
    -------
    FoundClips, in path order

    Raises
    ------
    CorporaError
        If ``root`` is not a folder, or one below it cannot be listed.
    """
    if not os.path.isdir(root):
        raise CorporaError(f"{os.fspath(root)}: no such folder.\n{WHERE_THE_CORPORA_ARE}")
    found = FoundClips()
    for path in sorted(_audio_files(root), key=lambda path: PurePath(path).parts):
        # The absolute path, since `root` may itself be the folder that names SAVEE's speaker.
        name = parse_clip_name(os.path.abspath(path))
        if name is not None:
            found.copies.setdefault((name.corpus, name.clip), []).append(path)
        elif is_song(path):
            found.songs.append(path)
        else:
            found.unknown.append(path)
    n_bytes = _read_manifest().set_index(["corpus", "clip"])["bytes"].to_dict()
    for clip, paths in found.copies.items():
        if len(paths) > 1:
            paths.sort(key=lambda path: _size(path) != n_bytes[clip])
    return found


def chosen_clips(copies: dict[tuple[str, str], list[str]]) -> pd.DataFrame:
    """One row for each clip found, as `clip_table` returns them; ``copies`` as in `FoundClips`."""
    table = _read_manifest().drop(columns="path")
    paths = [copies.get(clip, [""])[0] for clip in zip(table["corpus"], table["clip"], strict=True)]
    # As objects: pandas' own strings refuse names that are not UTF-8.
    table.insert(0, "path", pd.Series(paths, dtype=object))
    table = table[table["path"] != ""].sort_values(["corpus", "clip"], ignore_index=True)
    return table[["path", "corpus", "clip", "speaker", "emotion", "fold", "test", "emobox"]]


def missing_clips(copies: dict[tuple[str, str], list[str]]) -> dict[str, list[str]]:
    """Clips of the manifest that were not found, by corpus; complete corpora are left out."""
    missing: dict[str, list[str]] = {}
    for corpus, clip in _manifest_keys():
        if (corpus, clip) not in copies:
            missing.setdefault(corpus, []).append(clip)
    return missing


@functools.cache
def _read_manifest() -> pd.DataFrame:
    table = pd.read_csv(Path(__file__).with_name("manifest.csv"))
    # Through the same parsers as any other path, so that keys agree.
    clips = [name.clip for name in map(read_clip_name, table["path"]) if name is not None]
    table.insert(1, "clip", clips)
    table["test"] = table["test"].astype(bool)
    return table


@functools.cache
def _manifest_keys() -> dict[tuple[str, str], None]:
    """(corpus, clip) of every clip, in order."""
    table = _read_manifest().sort_values(["corpus", "clip"])
    return dict.fromkeys(zip(table["corpus"], table["clip"], strict=True))


def _audio_files(root: str | os.PathLike[str]) -> Iterator[str]:
    # `serctl.audio.scan` does not follow links to folders; corpora often stand on another disk.
    visited: set[str] = set()
    for folder, folders, files in os.walk(root, followlinks=True, onerror=_raise_unlisted):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        real = os.path.realpath(folder)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        for name in files:
            if not name.startswith(".") and PurePath(name).suffix.lower() in AUDIO_EXTENSIONS:
                yield os.path.join(folder, name)


def _raise_unlisted(error: OSError) -> None:
    raise CorporaError(
        f"{error.filename}: this folder cannot be listed ({error.strerror}). "
        "Give yourself the right to read it, or move it elsewhere."
    ) from error


def _size(path: str) -> int:
    """Size in bytes, or -1 of what cannot be asked, such as a broken link."""
    try:
        return os.path.getsize(path)
    except OSError:
        return -1


def _identical_clips() -> tuple[tuple[tuple[str, str], ...], ...]:
    table = _read_manifest()
    shared = table[table.duplicated("sha256", keep=False)]
    groups = [
        tuple(zip(group["corpus"], group["clip"], strict=True))
        for _, group in shared.groupby("sha256")
    ]
    return tuple(sorted(groups))


def _left_out_of_training() -> frozenset[tuple[str, str]]:
    emotions = _read_manifest().set_index(["corpus", "clip"])["emotion"].to_dict()
    contradictory = [
        group for group in IDENTICAL_CLIPS if len({emotions[clip] for clip in group}) > 1
    ]
    return frozenset({SILENT_CLIP, *(clip for group in contradictory for clip in group)})


# All zeros in the original.
SILENT_CLIP = ("crema-d", "1076_MTI_SAD_XX")
# Groups of clips that have the same bytes in the originals: three pairs of CREMA-D with different
# labels, and a pair of RAVDESS with the same.
IDENTICAL_CLIPS = _identical_clips()
# Silent or contradictory clips: these stay out of training, and stay in the test parts.
LEFT_OUT_OF_TRAINING = _left_out_of_training()
