"""Folders of objects, ``s3://bucket/calls``, to recordings, in the order of folders on a disk.

What is taken and what is skipped is as in `serctl.audio.scan`, but that an object is not looked into:
one with another extension than that of audio is not audio.
"""

from collections.abc import Iterator

from serctl.audio.finding.skipped import Skipped
from serctl.audio.formats import names
from serctl.audio.patterns import Selection
from serctl.errors import DownloadError, PathError
from serctl.files.objects import address_of, list_objects, look_up_now, normal_path


def find_objects(
    top: str, must_exist: bool, selection: Selection, skipped: Skipped
) -> Iterator[str]:
    """Find the recordings that a remote path names: an object, or those below a folder.

    Parameters
    ----------
    top : str
        ``s3://bucket``, or with a key. If it ends with a slash, it is a folder.
    must_exist : bool
        Whether to look whether it is an object or a folder. Otherwise it is an object, unless it is
        a bucket or ends with a slash.
    selection : Selection
        Which recordings are taken.
    skipped : Skipped
        Filled with what is not, and with the error of a folder that cannot be listed.

    Yields
    ------
    str
        Paths, as `serctl.files.objects` takes them.

    Raises
    ------
    PathError
        If there is no such object or folder, and it must exist.
    """
    is_folder = top.endswith("/") or not address_of(top).key
    try:
        if must_exist and not is_folder:
            kind, _ = look_up_now(top)
            if kind == "NotFound":
                raise _nothing_there(top)
            is_folder = kind == "Directory"
        if is_folder:
            yield from _walk(top, selection, skipped)
            return
    except DownloadError as error:
        if error.is_missing and must_exist:
            raise _nothing_there(top) from None
        skipped.unlisted.append(error)
        return
    if selection.takes_file(top.rpartition("/")[2]):
        yield top
    else:
        skipped.n_not_selected += 1


def _walk(top: str, selection: Selection, skipped: Skipped) -> Iterator[str]:
    top = normal_path(top)
    entered = {"": True}

    def enters(folder: str) -> bool:
        if folder not in entered:
            above, _, name = folder.rpartition("/")
            entered[folder] = enters(above)
            if entered[folder] and name.startswith("."):
                skipped.add(f"{top}/{folder}", names.HIDDEN)
                entered[folder] = False
            elif entered[folder] and not selection.enters(folder):
                skipped.n_not_selected += 1
                entered[folder] = False
        return entered[folder]

    for below in list_objects(top):
        folder, _, name = below.rpartition("/")
        if not enters(folder):
            continue
        path = f"{top}/{below}"
        if not selection.takes_file(below):
            skipped.n_not_selected += 1
        elif (reason := names.reason_to_skip(name)) and not selection.all_files:
            skipped.add(path, reason)
        else:
            yield path


def _nothing_there(top: str) -> PathError:
    return PathError(
        f"{top}: there is no such object or folder. Check the path. In the place of a pattern, name "
        "the folder and give --include."
    )
