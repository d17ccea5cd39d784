"""Shards divide a scan: every recording once, in order, by bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serctl.errors import UsageError
from serctl.files.manifest import Scanned, is_manifest, manifest_bytes, read_manifest
from serctl.files.shards import Shard, parse_shard

SIZES = st.lists(st.integers(0, 1 << 40), max_size=40)


@given(SIZES, st.integers(1, 9))
def test_shards_one_after_the_other_are_the_scan(sizes: list[int], count: int) -> None:
    scanned = [Scanned(f"{i}.wav", size) for i, size in enumerate(sizes)]
    shards = [Shard(number, count).of(scanned) for number in range(1, count + 1)]
    assert [path for shard in shards for path in shard] == [one.path for one in scanned]


def test_a_long_recording_weighs_as_much_as_many_short_ones() -> None:
    scanned = [Scanned("long.wav", 110 << 20), *(Scanned(f"{i}.wav", 1 << 20) for i in range(100))]
    assert Shard(1, 2).of(scanned) == ["long.wav"]


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/2/3", "a/b", "-1/2", "1/0", ""])
def test_a_shard_is_two_numbers(text: str) -> None:
    with pytest.raises(UsageError, match=r"--shard .*: two whole numbers are needed"):
        parse_shard(text)


def test_a_shard_is_named_by_its_number_and_their_count() -> None:
    assert parse_shard("3/16") == Shard(3, 16)


NAMES = st.lists(
    st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=9), max_size=9
)


@given(NAMES)
def test_a_manifest_reads_back_whatever_the_names(names: list[str]) -> None:
    scanned = [Scanned(name, 7) for name in names if name.isprintable() or "\r" not in name]
    scanned = [one for one in scanned if _is_file_name(one.path)]
    content = manifest_bytes(scanned)
    assert is_manifest(content)
    assert read_manifest(content) == scanned


def _is_file_name(name: str) -> bool:
    try:
        name.encode("utf-8", "surrogateescape")
    except UnicodeError:
        return False
    return True


def test_a_manifest_keeps_bytes_that_are_not_utf_8() -> None:
    scanned = [Scanned("caf\udce9.wav", 3), Scanned('a "b", c\n.wav', 4)]
    assert read_manifest(manifest_bytes(scanned)) == scanned


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.wav,1", "line 2: 2 cells, 3 are needed"),
        ("a.wav,x,0123456789abcdef", "line 2: size_bytes x and id .* do not belong to a.wav"),
        ("a.wav,1,0123456789abcdef", "Was it edited"),
    ],
)
def test_a_manifest_that_was_edited_is_refused(row: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_manifest(f"path,size_bytes,id\n{row}\n".encode())
