import errno
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from serctl.errors import AudioError
from serctl.features import mel
from serctl.features.mel import MelSpec
from serctl.models.inputs import CLIP_STATISTICS, FRAMES, LOG_MEL, InputKind
from serctl.threads import map_in_order
from serctl.train.corpora.clip_names import sentences_of
from serctl.train.corpora.manifest import manifest
from serctl.train.corpora.votes import votes_of
from serctl.train.data import feature_cache
from serctl.train.data.feature_cache import ClipFeatures, cache_folder
from serctl.train.data.preparation import label_indices
from serctl.train.data.talkers import Talkers

SPEC = MelSpec()


def write_clip(path: Path, seed: int = 0, n_samples: int = 4000) -> str:
    samples = np.random.default_rng(seed).normal(0, 0.1, n_samples).astype(np.float32)
    soundfile.write(path, samples, SPEC.rate_hz, subtype="FLOAT")
    return str(path)


def cache_files(cache: Path) -> list[Path]:
    return sorted(path for path in cache.rglob("*") if path.is_file())


@pytest.fixture
def clip(tmp_path: Path) -> str:
    return write_clip(tmp_path / "a.wav")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def n_computed(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many clips' features have been computed."""
    computed = []
    compute = ClipFeatures._compute

    def counting(self: ClipFeatures, path: str, digest: str) -> np.ndarray:
        computed.append(path)
        return compute(self, path, digest)

    monkeypatch.setattr(ClipFeatures, "_compute", counting)
    return lambda: len(computed)


def test_features_are_those_of_the_samples(clip: str, cache: Path) -> None:
    samples, _ = soundfile.read(clip, dtype="float32")
    expected = mel.clip_statistics(samples, SPEC)
    extract = ClipFeatures(CLIP_STATISTICS, SPEC, cache)
    for statistics in (extract(clip), extract(clip)):
        assert statistics.dtype == np.float32
        assert np.array_equal(statistics, expected)


def test_a_clip_is_computed_once_wherever_it_lies(
    clip: str, cache: Path, tmp_path: Path, n_computed: Callable[[], int]
) -> None:
    first = ClipFeatures(CLIP_STATISTICS, SPEC, cache)(clip)
    moved = tmp_path / "elsewhere.wav"
    shutil.move(clip, moved)
    assert np.array_equal(ClipFeatures(CLIP_STATISTICS, SPEC, cache)(str(moved)), first)
    assert n_computed() == 1
    assert len(cache_files(cache)) == 1


def test_a_changed_file_is_computed_anew(
    clip: str, cache: Path, n_computed: Callable[[], int]
) -> None:
    extract = ClipFeatures(CLIP_STATISTICS, SPEC, cache)
    before = extract(clip)
    write_clip(Path(clip), seed=1)
    assert not np.array_equal(extract(clip), before)
    assert n_computed() == 2


def test_other_parameters_do_not_share_the_cache(
    clip: str, cache: Path, n_computed: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(ClipFeatures(CLIP_STATISTICS, SPEC, cache)(clip)) == 148
    assert len(ClipFeatures(CLIP_STATISTICS, replace(SPEC, n_mfcc=13), cache)(clip)) == 141
    ClipFeatures(CLIP_STATISTICS, replace(SPEC, top_db=60.0), cache)(clip)
    monkeypatch.setattr(feature_cache, "CACHE_VERSION", feature_cache.CACHE_VERSION + 1)
    ClipFeatures(CLIP_STATISTICS, SPEC, cache)(clip)
    assert n_computed() == len(cache_files(cache)) == 4


@pytest.mark.parametrize("kind", [FRAMES, LOG_MEL], ids=["frames", "log-mel"])
def test_frames_are_kept_in_float32(
    kind: InputKind, clip: str, cache: Path, n_computed: Callable[[], int]
) -> None:
    samples, _ = soundfile.read(clip, dtype="float32")
    extract = ClipFeatures(kind, SPEC, cache)
    for frames in (extract(clip), extract(clip)):
        assert frames.dtype == np.float32
        assert np.array_equal(frames, kind.extract(samples, SPEC))
    assert n_computed() == 1
    (cached,) = cache_files(cache)
    np.save(cached, extract(clip)[:0])
    assert len(extract(clip)) > 0


def test_augmented_copies_depend_on_number_and_content(
    clip: str, cache: Path, tmp_path: Path, n_computed: Callable[[], int]
) -> None:
    clean, *copies = (ClipFeatures(LOG_MEL, SPEC, cache, copy=i) for i in range(4))
    features = [extract(clip) for extract in copies]
    assert {one.dtype for one in features} == {np.dtype(np.float16)}
    assert len({one.tobytes() for one in (clean(clip), *features)}) == 4
    assert np.array_equal(copies[0](clip), features[0])
    assert n_computed() == len(cache_files(cache)) == 4
    shutil.move(clip, tmp_path / "moved.wav")
    shutil.rmtree(cache)
    assert np.array_equal(copies[0](str(tmp_path / "moved.wav")), features[0])
    other = write_clip(tmp_path / "other.wav", seed=1)
    assert not np.array_equal(copies[0](other), features[0])


def test_a_noisy_copy_has_talkers_and_a_cache_of_its_own(
    clip: str, cache: Path, tmp_path: Path, n_computed: Callable[[], int]
) -> None:
    other = write_clip(tmp_path / "b.wav", seed=1)
    table = pd.DataFrame({"path": [clip, other], "speaker": ["a", "b"]})
    talkers = Talkers(table.assign(corpus="crema-d", fold=0))
    plain, noisy = (ClipFeatures(LOG_MEL, SPEC, cache, 30.0, 1, one) for one in (None, talkers))
    features = noisy(clip)
    assert features.dtype == np.float16
    assert not np.array_equal(features, plain(clip))
    assert np.array_equal(noisy(clip), features)
    assert n_computed() == len(cache_files(cache)) == 2


@pytest.mark.parametrize("n_bytes", [0, 5, 60, 128, 400, 719])
def test_a_torn_file_of_the_cache_is_computed_anew(
    clip: str, cache: Path, n_bytes: int, n_computed: Callable[[], int]
) -> None:
    extract = ClipFeatures(CLIP_STATISTICS, SPEC, cache)
    whole = extract(clip)
    (cached,) = cache_files(cache)
    content = cached.read_bytes()
    assert len(content) == 720
    cached.write_bytes(content[:n_bytes])
    assert np.array_equal(extract(clip), whole)
    assert cached.read_bytes() == content
    extract(clip)
    assert n_computed() == 2


def test_an_array_of_another_shape_is_computed_anew(clip: str, cache: Path) -> None:
    extract = ClipFeatures(CLIP_STATISTICS, SPEC, cache)
    whole = extract(clip)
    (cached,) = cache_files(cache)
    np.save(cached, whole[:-1])
    assert np.array_equal(extract(clip), whole)


def test_a_cache_that_cannot_be_made_costs_time_alone(
    clip: str, cache: Path, n_computed: Callable[[], int]
) -> None:
    cache.write_text("a file where the folder should be")
    extract = ClipFeatures(CLIP_STATISTICS, SPEC, cache)
    assert np.array_equal(extract(clip), extract(clip))
    assert n_computed() == 2


def test_a_full_disk_leaves_nothing_half_written(
    clip: str, cache: Path, n_computed: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(file: object, array: np.ndarray) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(feature_cache.np, "save", fill)
    extract = ClipFeatures(CLIP_STATISTICS, SPEC, cache)
    assert np.array_equal(extract(clip), extract(clip))
    assert n_computed() == 2
    assert cache_files(cache) == []


def test_threads_may_share_it(clip: str, cache: Path) -> None:
    rows = list(map_in_order(ClipFeatures(CLIP_STATISTICS, SPEC, cache), [clip] * 40, n_workers=8))
    assert all(np.array_equal(row, rows[0]) for row in rows)
    assert len(cache_files(cache)) == 1


@pytest.mark.parametrize(("n_samples", "fits"), [(1, True), (2205, True), (2206, False)])
def test_a_clip_has_a_longest_length(
    tmp_path: Path, cache: Path, n_samples: int, fits: bool
) -> None:
    path = write_clip(tmp_path / "a.wav", n_samples=n_samples)
    extract = ClipFeatures(CLIP_STATISTICS, SPEC, cache, max_duration_s=0.1)
    if fits:
        assert len(extract(path)) == 148
        return
    with pytest.raises(AudioError, match=r"a\.wav: 0\.1 s long; a clip of up to 0\.1 s") as error:
        extract(path)
    assert str(error.value).startswith(path)


def test_an_empty_clip_is_refused(tmp_path: Path, cache: Path) -> None:
    path = write_clip(tmp_path / "a.wav", n_samples=0)
    with pytest.raises(AudioError, match=r"a\.wav: 0\.0 s long; .* not an empty one") as error:
        ClipFeatures(CLIP_STATISTICS, SPEC, cache)(path)
    assert str(error.value).startswith(path)
    assert cache_files(cache) == []


def test_what_cannot_be_read_is_named(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "a.wav"
    with pytest.raises(AudioError, match=r"a\.wav: No such file or directory\. Check"):
        ClipFeatures(CLIP_STATISTICS, SPEC, cache)(str(path))
    path.write_text("not audio")
    with pytest.raises(AudioError, match=r"a\.wav: .*Not audio, or damaged"):
        ClipFeatures(CLIP_STATISTICS, SPEC, cache)(str(path))


def test_the_cache_is_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERCTL_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.setenv("SERCTL_CACHE", "")
    assert cache_folder().name == "serctl"


def test_labels_become_indices() -> None:
    indices = label_indices(["sad", "angry", "sad"], ("angry", "fear", "sad"))
    assert indices.dtype == np.int64
    assert indices.tolist() == [2, 0, 2]


def test_sentences_are_those_of_the_names() -> None:
    clips = manifest()
    sentences = sentences_of(clips)
    of_corpus = sentences.groupby(clips["corpus"]).nunique()
    assert of_corpus.to_dict() == {"crema-d": 12, "ravdess": 2, "savee": 0, "tess": 200}
    rows = clips["clip"].isin(["1001_DFA_ANG_XX", "OAF_back_angry"])
    assert set(sentences[rows]) == {"crema-d DFA", "tess back"}


def test_votes_are_those_of_crema_ds_listeners() -> None:
    clips = manifest().sort_values(["corpus", "clip"], ignore_index=True)
    votes = votes_of(clips, ("angry", "sad", "neutral", "surprise"))
    assert votes.shape == (12162, 4)
    row = clips.index[clips["clip"] == "1001_DFA_ANG_XX"][0]
    assert votes[row].tolist() == [6, 0, 0, 0]  # one vote for neutral is dropped
    row = clips.index[clips["clip"] == "1001_DFA_NEU_XX"][0]
    assert votes[row, 2] > 4
    with_neutral = votes_of(clips, ("angry", "sad", "neutral", "surprise"), for_neutral=True)
    assert with_neutral[clips.index[clips["clip"] == "1001_DFA_ANG_XX"][0]].tolist() == [6, 0, 1, 0]
    is_crema_d = (clips["corpus"] == "crema-d").to_numpy()
    assert not votes[~is_crema_d].any()
    everything = votes_of(clips, ("angry", "disgust", "fear", "happy", "sad", "neutral"))
    assert (everything[is_crema_d].sum(axis=1) > 0).mean() > 0.95
