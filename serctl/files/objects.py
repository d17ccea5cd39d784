"""Objects in S3 and Google Cloud Storage: ``s3://bucket/key`` and ``gs://bucket/key``, by pyarrow.

pyarrow is imported, and a connection opened, when such a path is looked at, and never otherwise. It
takes credentials from the environment, from the files of the cloud's own tools, or from the machine.
None is ever shown: a path that has some is refused, and of an error of the store only its code is
kept.

What was listed or looked up once is known from then on. Times of modification are whole seconds,
since some stores list a fraction that they do not have when an object is looked up.
"""

import functools
import importlib.util
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple

from serctl.errors import DownloadError, MissingPackageError, UsageError

SCHEMES = ("s3://", "gs://")
CONNECT_S = 10.0
RETRY_S = 10  # for which Google's client tries again by itself
LOOK_UPS = 32  # at a time; each waits for the network

NOT_THERE = frozenset(("NO_SUCH_KEY", "NO_SUCH_BUCKET", "RESOURCE_NOT_FOUND", "NOT_FOUND"))
DENIED = frozenset(
    "ACCESS_DENIED ACCOUNT_PROBLEM EXPIRED_TOKEN INVALID_ACCESS_KEY_ID INVALID_CLIENT_TOKEN_ID "
    "INVALID_SIGNATURE INVALID_TOKEN MISSING_AUTHENTICATION_TOKEN PERMISSION_DENIED "
    "REQUEST_TIME_TOO_SKEWED SIGNATURE_DOES_NOT_MATCH UNAUTHENTICATED UNRECOGNIZED_CLIENT".split()
)

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SECRET = re.compile(r"[?&][^=&/]*(key|secret|token|signature|credential)[^=&/]*=", re.I)
_CODE = re.compile(r"AWS Error (\w+)|Status\((\w+)")
_DETAIL = re.compile(r"curlCode: \d+, ([\w' ]+)|\(HTTP status (\d+)\)")


class Address(NamedTuple):
    """Where an object is, or objects are: the store, ``s3`` or ``gs``, the bucket, and the key."""

    store: str
    bucket: str
    key: str

    @property
    def inside(self) -> str:
        """Bucket and key, as pyarrow takes them."""
        return f"{self.bucket}/{self.key}" if self.key else self.bucket


class Known(NamedTuple):
    """Size in bytes and time of modification of an object."""

    size: int
    mtime_ns: int


_known: dict[str, Known | None] = {}  # None: there is no such object


def is_remote(path: str | os.PathLike[str]) -> bool:
    """Whether a path is that of an object, or of objects."""
    return os.fspath(path).startswith(SCHEMES)


def normal_path(path: str) -> str:
    """Path without what is superfluous in it; keys of objects are as they are."""
    return path.rstrip("/") if is_remote(path) else os.path.normpath(path)


def address_of(path: str) -> Address:
    """Address that a path names.

    Raises
    ------
    UsageError
        If it names no bucket, or has credentials in it.
    """
    store, _, rest = path.partition("://")
    bucket, _, key = rest.partition("/")
    if not _BUCKET.fullmatch(bucket) or _SECRET.search(key):
        raise UsageError(
            f"{store}://...: the name of a bucket is needed behind {store}://, and no credentials. "
            f"Write {store}://bucket/folder, and give credentials in the environment."
        )
    return Address(store, bucket, key.rstrip("/"))


def refuse_remote(paths: Iterable[str], who: str) -> None:
    """Raise UsageError if one of the paths is remote, and ``who`` does not read such."""
    for path in filter(is_remote, paths):
        address = address_of(path)
        raise UsageError(
            f"{address.store}://{address.inside}: {who} reads local files alone. Copy the recordings "
            "first, for example with aws s3 sync or gcloud storage rsync."
        )


def check_pyarrow(path: str) -> None:
    """Raise MissingPackageError if pyarrow, which a remote path needs, is not installed."""
    if importlib.util.find_spec("pyarrow") is None:
        store = path.partition("://")[0]
        raise MissingPackageError(
            f"{store}:// needs pyarrow, which is not installed. Install it with: "
            "pip install pyarrow"
        )


@functools.lru_cache(64)
def file_system(store: str, bucket: str) -> Any:
    """File system of pyarrow for a bucket.

    The variable ``AWS_ENDPOINT_URL`` names another server than Amazon's.

    Raises
    ------
    MissingPackageError
        If this build of pyarrow does not know the store.
    """
    from pyarrow import fs

    try:
        if store == "gs":
            return fs.GcsFileSystem(retry_time_limit=timedelta(seconds=RETRY_S))
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        if endpoint:
            scheme, _, host = endpoint.rstrip("/").rpartition("://")
            where = {"endpoint_override": host, "scheme": scheme or "https"}
        else:
            where = {}
            with suppress(OSError, ValueError):  # then that of the user's settings
                where["region"] = fs.resolve_s3_region(bucket)
        return fs.S3FileSystem(connect_timeout=CONNECT_S, **where)
    except ImportError as error:
        raise MissingPackageError(
            f"{store}:// is not supported by the installed pyarrow. Install one from PyPI: "
            "pip install pyarrow"
        ) from error


def error_of(error: Exception, path: str) -> DownloadError:
    """What an error of pyarrow means for the user, without anything secret."""
    text = str(error)
    code = "".join(next((found.groups("") for found in _CODE.finditer(text)), ()))
    if isinstance(error, FileNotFoundError) or code in NOT_THERE:
        return DownloadError(
            "There is no such object. Was it moved or deleted?", path, is_missing=True
        )
    if code in DENIED or "(HTTP status 403)" in text:
        return DownloadError(
            f"No permission ({code}). Check the credentials in the environment of serctl, and what "
            "they may read and list.",
            path,
        )
    if not code and isinstance(error, ValueError):  # of pyarrow, before it asks the store
        return DownloadError(
            "pyarrow cannot read an object with this key: a part of it is empty or a dot. Copy the "
            "object to another key.",
            path,
        )
    details = " ".join("".join(found.groups("")) for found in _DETAIL.finditer(text))
    shown = ", ".join(filter(None, (code or type(error).__name__, details)))
    return DownloadError(f"The store cannot be reached or read ({shown}).", path, True)


def look_up_now(path: str) -> tuple[str, Known | None]:
    """Ask the store what a path is.

    Returns
    -------
    kind : str
        ``File``, ``Directory`` or ``NotFound``.
    known : Known or None
        Of an object.

    Raises
    ------
    DownloadError
        If the store cannot be asked, or refuses.
    """
    address = address_of(path)
    try:
        info = file_system(address.store, address.bucket).get_file_info(address.inside)
    except (OSError, ValueError) as error:
        raise error_of(error, path) from None
    kind: str = info.type.name
    return kind, _known_of(info) if kind == "File" else None


def look_up(path: str) -> Known | None:
    """Size and time of an object; None if there is none, or it may not be looked at.

    Raises
    ------
    DownloadError
        If the store cannot be reached.
    """
    if path not in _known:
        try:
            _known[path] = look_up_now(path)[1]
        except DownloadError as error:
            if error.is_transient:
                raise
            _known[path] = None
    return _known[path]


def look_up_all(paths: Sequence[str]) -> None:
    """`look_up` those of many paths that are remote, several at a time."""
    left = [path for path in paths if is_remote(path) and path not in _known]
    if left:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(LOOK_UPS) as pool:
            for _ in pool.map(look_up, left):
                pass


def known_of(path: str) -> Known | None:
    """Size and time of an object as far as they are known, without asking the store."""
    return _known.get(path)


def list_objects(folder: str) -> list[str]:
    """List all objects below a folder, or in a bucket, at any depth; the store gives pages of 1000.

    Parameters
    ----------
    folder : str
        Such as ``s3://bucket/calls``.

    Returns
    -------
    list of str
        Their paths below the folder, depth first with names in the order of their code points.

    Raises
    ------
    DownloadError
        If it cannot be listed.
    """
    from pyarrow import fs

    address = address_of(folder)
    selector = fs.FileSelector(address.inside, recursive=True)
    try:
        infos = file_system(address.store, address.bucket).get_file_info(selector)
    except (OSError, ValueError) as error:
        raise error_of(error, folder) from None
    n_above = len(address.inside) + 1
    found: list[str] = []
    for info in infos:
        if info.type == fs.FileType.File:
            below = info.path[n_above:]
            found.append(below)
            _known[f"{normal_path(folder)}/{below}"] = _known_of(info)
    # The separator sorts before all that names have, so that what is in a folder stays together.
    return sorted(found, key=lambda below: below.replace("/", "\0"))


def _known_of(info: Any) -> Known:
    return Known(info.size, (info.mtime_ns or 0) // 1_000_000_000 * 1_000_000_000)
