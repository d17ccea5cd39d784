"""Whatever bytes a file holds, a row comes of it and nothing is raised.

`just fuzz` tries thousands of files.
"""

import os
import re

import fuzz
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serctl.results.schema import STATUSES, row_of

pytestmark = pytest.mark.slow

MAGICS = [
    b"RIFF\x24\x80\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\0\x80\0\0",
    b"RF64\xff\xff\xff\xffWAVEds64",
    b"fLaC\0\0\0\x22",
    b"OggS\0\x02",
    b"FORM\0\0\x10\0AIFFCOMM\0\0\0\x12",
    b"ID3\x04\0\0\0\0\x01\0",
    b"\xff\xfb\x90\x64",
    b".snd\0\0\0\x18",
    b"caff\0\x01\0\0desc",
    b"NIST_1A\n   1024\n",
    b"Creative Voice File\x1a",
    b"\0\0\0\x20ftypM4A \0\0\0\0",
    b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c",
    b"#!AMR\n\x3c",
    b"",
]
EXTENSIONS = [
    "wav",
    "flac",
    "ogg",
    "mp3",
    "aiff",
    "au",
    "caf",
    "m4a",
    "voc",
    "sph",
    "g722",
    "vox",
    "",
]
# What may be said of a recording that was classified.
REASONS = r"$|(truncated: |damaged: |damaged header: |joined: |channels cancel: ).+\."


def check(classifier, path):
    """Classify a file, and give the result if it is one that a row can hold."""
    result = classifier.classify(path)
    row = row_of(result, classifier.emotions)
    assert row["path"] == path
    assert result.status in STATUSES
    if result.status == "ok":
        assert re.match(REASONS, result.reason)
        assert sum(result.probabilities) == pytest.approx(1)
        assert result.duration_s >= classifier.config.min_duration_s
    else:
        assert re.search(r"\w{3}", result.reason)
        assert result.probabilities == ()
    assert result.status != "failed", result.reason
    return result


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    magic=st.sampled_from(MAGICS), rest=st.binary(max_size=3000), name=st.sampled_from(EXTENSIONS)
)
def test_random_bytes_have_a_row(classifier, tmp_path, magic, rest, name):
    path = tmp_path / f"a.{name}"
    path.write_bytes(magic + rest)
    check(classifier, str(path))


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return fuzz.make_clips(tmp_path_factory.mktemp("clips"), n_clips=1)


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    extension=st.sampled_from(fuzz.FORMATS),
    which=st.integers(0, 10_000),
    mutations=st.lists(st.sampled_from(fuzz.MUTATIONS), min_size=1, max_size=3),
    seed=st.integers(0, 2**32),
)
def test_mutated_recordings_have_a_row(
    classifier, tmp_path, clips, extension, which, mutations, seed
):
    content = bytearray(clips[extension][which % len(clips[extension])])
    rng = np.random.default_rng(seed)
    for mutation in mutations:
        if len(content) > 1:
            mutation(content, rng)
    path = tmp_path / f"a.{extension}"
    path.write_bytes(content)
    n_open = len(os.listdir("/dev/fd"))
    check(classifier, str(path))
    assert len(os.listdir("/dev/fd")) == n_open


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    extension=st.sampled_from(fuzz.SNDFILE_FORMATS),
    which=st.integers(0, 10_000),
    share=st.floats(0, 1),
)
def test_of_what_is_cut_off_no_more_comes_than_was_there(
    classifier, tmp_path, clips, extension, which, share
):
    content = clips[extension][which % len(clips[extension])]
    path = tmp_path / f"a.{extension}"
    path.write_bytes(content)
    whole = check(classifier, str(path))
    assert (whole.status, whole.reason) == ("ok", "")
    path.write_bytes(content[: int(share * len(content))])
    part = check(classifier, str(path))
    assert (part.duration_s or 0) <= whole.duration_s + 0.03  # what a coder puts before and after
    # Ogg does not say how long it is; an MP3 does, with what its coder put before and after.
    sloppy_s = {"ogg": 1.0, "mp3": 2500 / part.sample_rate_hz + 0.1 if part.sample_rate_hz else 0}
    if part.status == "ok" and part.duration_s < whole.duration_s - sloppy_s.get(extension, 0.1):
        assert part.reason.startswith("truncated: ")
