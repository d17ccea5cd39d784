import errno

import pytest
from support.buckets import put

from serctl.errors import DownloadError, MissingPackageError, UsageError
from serctl.files import objects
from serctl.files.stamps import RealPaths, Stamp, exists, is_unchanged, last_changed_ns, stamp_of

SECRETS = (
    "s3://AKIAEXAMPLE:hush@bucket/a.wav",
    "s3://AKIAEXAMPLE:hu/sh@bucket/a.wav",
    "gs://user:hush@bucket",
    "s3://bucket/a.wav?X-Amz-Signature=hush",
    "s3://bucket?access_key=hush",
    "s3://bucket/a?region=x&secret_key=hush",
)


def test_an_address_has_a_bucket_and_a_key():
    assert objects.address_of("s3://bucket/a b/c?d#e%20.wav") == (
        "s3",
        "bucket",
        "a b/c?d#e%20.wav",
    )
    assert objects.address_of("gs://my.bucket/calls/") == ("gs", "my.bucket", "calls")
    assert objects.address_of("s3://bucket").inside == "bucket"


@pytest.mark.parametrize("path", [*SECRETS, "s3://", "s3:///a.wav", "s3://-/a"])
def test_credentials_and_missing_buckets_are_refused_and_not_shown(path):
    with pytest.raises(UsageError, match="the name of a bucket is needed") as refused:
        objects.address_of(path)
    assert "hush" not in str(refused.value)
    assert "AKIA" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words", "is_transient"),
    [
        ("AWS Error ACCESS_DENIED during HeadObject operation: no", "No permission", False),
        ("AWS Error UNKNOWN (HTTP status 403) during GetObject", "No permission", False),
        ("AWS Error NO_SUCH_BUCKET during ListObjectsV2", "no such object", False),
        ("AWS Error SLOW_DOWN during GetObject: hush", r"\(SLOW_DOWN\)", True),
        (
            "AWS Error NETWORK_CONNECTION during X: curlCode: 7, Could not connect; hush",
            r"\(NETWORK_CONNECTION, Could not connect\)",
            True,
        ),
        ("google::cloud::Status(PERMISSION_DENIED: hush@x.iam does not", "No permission", False),
        ("google::cloud::Status(UNAVAILABLE: Retry policy hush", r"\(UNAVAILABLE\)", True),
        ("hush", r"\(OSError\)", True),
    ],
)
def test_of_errors_only_the_code_is_shown(text, words, is_transient):
    error = objects.error_of(OSError(text), "s3://b/a.wav")
    assert isinstance(error, DownloadError)
    assert error.is_transient == is_transient
    with pytest.raises(DownloadError, match=words):
        raise error
    assert "hush" not in str(error)


def test_errors_of_missing_objects_and_of_impossible_keys():
    missing = objects.error_of(FileNotFoundError(errno.ENOENT, "x"), "s3://b/a.wav")
    assert missing.is_missing
    assert not missing.is_transient
    assert "cannot read an object with this key" in str(
        objects.error_of(ValueError("Empty"), "s3:")
    )


def test_objects_are_listed_depth_first(buckets):
    names = ["b/a.wav", "b/x/2.wav", "b/x/1.wav", "b/x-y/1.wav", "b/x.wav", "b/ü.wav"]
    put(buckets, *names)
    expected = ["a.wav", "x/1.wav", "x/2.wav", "x-y/1.wav", "x.wav", "ü.wav"]
    assert objects.list_objects("s3://b") == expected
    assert objects.list_objects("s3://b/x/") == ["1.wav", "2.wav"]
    with pytest.raises(DownloadError, match="s3://b/none: There is no such object"):
        objects.list_objects("s3://b/none")


def test_stamps_of_objects_are_those_of_the_listing(buckets):
    put(buckets, "b/a.wav", "b/c/d.wav")
    objects.list_objects("s3://b")
    (buckets / "b" / "a.wav").unlink()
    stamp = stamp_of("s3://b/a.wav")
    assert stamp == Stamp(len("b/a.wav"), stamp.mtime_ns)
    assert stamp.mtime_ns % 1_000_000_000 == 0
    assert is_unchanged("s3://b/a.wav", stamp)
    assert not is_unchanged("s3://b/a.wav", stamp._replace(size=1), "hash")
    assert last_changed_ns("s3://b/a.wav") == stamp.mtime_ns + 999_999_999
    assert RealPaths()("s3://b/a.wav") == "s3://b/a.wav"


def test_objects_that_were_not_listed_are_looked_up_once(buckets):
    put(buckets, "b/a.wav")
    objects.look_up_all(["s3://b/a.wav", "s3://b/gone.wav", "local.wav"])
    (buckets / "b" / "a.wav").unlink()
    put(buckets, "b/gone.wav")
    assert stamp_of("s3://b/a.wav").size == len("b/a.wav")
    assert exists("s3://b/a.wav")
    assert stamp_of("s3://b/gone.wav") == Stamp(None, None)
    assert not exists("s3://b/gone.wav")


def test_a_store_that_cannot_be_reached_is_an_error_where_rows_depend_on_it(buckets, monkeypatch):
    def look_up_now(path):
        raise objects.error_of(OSError(f"AWS Error {code} during X"), path)

    monkeypatch.setattr(objects, "look_up_now", look_up_now)
    code = "NETWORK_CONNECTION"
    with pytest.raises(DownloadError, match="cannot be reached"):
        exists("s3://b/a.wav")
    code = "ACCESS_DENIED"  # its row says so
    assert not exists("s3://b/a.wav")


def test_what_reads_local_files_alone_says_so():
    objects.refuse_remote(["a.wav"], "the test")
    with pytest.raises(UsageError, match="s3://b/x: the test reads local files alone"):
        objects.refuse_remote(["a.wav", "s3://b/x/"], "the test")


def test_pyarrow_is_asked_for(monkeypatch):
    monkeypatch.setattr(objects.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match="pip install pyarrow"):
        objects.check_pyarrow("s3://b")
