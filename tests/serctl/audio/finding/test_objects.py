import subprocess
import sys

import pytest
from support.buckets import put

from serctl.audio.finding.skipped import Skipped
from serctl.audio.patterns import Selection
from serctl.audio.scan import scan
from serctl.errors import NothingFoundError, PathError, RunError, UsageError
from serctl.files import objects

NAMES = (
    *("b/calls/2.wav", "b/calls/10.mp3", "b/calls/drafts/a.wav", "b/calls/drafts/deep/b.wav"),
    *("b/calls/.hidden/a.wav", "b/calls/.a.wav", "b/calls/notes.txt", "b/calls/a.wav.part"),
    *("b/calls/README", "b/calls/new-2/z.flac", "b/calls/new/a.wav", "b/other.wav"),
)


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(include=["*.wav"]),
        Selection(exclude=["drafts/", "new/*"]),
        Selection(include=["drafts/"], exclude=["b.*"]),
        Selection(all_files=True),
    ],
)
@pytest.mark.parametrize("top", ["s3://b/calls", "s3://b/calls/"])
def test_objects_are_found_like_files(buckets, selection, top):
    put(buckets, *NAMES)
    local, remote = Skipped(), Skipped()
    expected = scan([buckets / "b" / "calls"], selection, skipped=local)
    found = scan([top], selection, skipped=remote)
    assert found == [path.replace(str(buckets), "s3:/") for path in expected]
    assert (remote.kinds, remote.extensions) == (local.kinds, local.extensions)
    assert remote.n_not_selected == local.n_not_selected
    files = [(path.replace(str(buckets), "s3:/"), kind) for path, kind in local.files]
    assert sorted(remote.files) == sorted(files)


def test_objects_and_buckets_can_be_named(buckets):
    put(buckets, *NAMES)
    assert scan(["s3://b/calls/notes.txt"]) == ["s3://b/calls/notes.txt"]  # is always taken
    assert scan(["s3://b/other.wav", "s3://b"], Selection(exclude=["calls/"])) == [
        "s3://b/other.wav"
    ]
    both = scan([buckets / "b" / "other.wav", "gs://b/other.wav"])
    assert both == [str(buckets / "b" / "other.wav"), "gs://b/other.wav"]


def test_what_does_not_exist_is_refused_unless_it_is_listed(buckets):
    put(buckets, *NAMES)
    for path in ("s3://b/gone.wav", "s3://gone", "s3://b/gone/", "s3://b/*.wav"):
        with pytest.raises(PathError, match="there is no such object or folder"):
            scan([path])
    listed = ["s3://b/gone.wav", "s3://b/calls/new/"]
    assert scan([], listed=listed) == ["s3://b/gone.wav", "s3://b/calls/new/a.wav"]


def test_a_folder_that_may_not_be_listed_is_said(buckets, monkeypatch):
    put(buckets, *NAMES)

    class Denying:
        def get_file_info(self, selector):
            raise OSError("AWS Error ACCESS_DENIED during ListObjectsV2 operation")

    monkeypatch.setattr(objects, "file_system", lambda store, bucket: Denying())
    unlisted = []
    with pytest.raises(NothingFoundError, match=r"s3://b/calls: No permission \(ACCESS_DENIED\)"):
        scan(["s3://b/calls/"], on_unlisted=unlisted.append)
    assert len(unlisted) == 1
    with pytest.raises(RunError, match="No permission"):
        scan([str(buckets), "s3://b/calls"])


def test_credentials_are_refused_before_anything_is_looked_at(buckets, monkeypatch):
    monkeypatch.setattr(objects, "file_system", None)
    with pytest.raises(UsageError, match="no credentials"):
        scan(["s3://b/calls"], listed=["s3://user:hush@b/x"])


def test_local_paths_need_no_pyarrow(write_recording):
    path = write_recording("a.wav")
    script = (
        f"import sys; from serctl.audio.scan import scan; assert scan([{path!r}]); "
        "assert 'pyarrow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
