from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from serctl.train.data.talkers import Talkers

RATE_HZ = 16000


@pytest.fixture
def clips(tmp_path: Path) -> pd.DataFrame:
    """Tones, of another pitch for each speaker; the last speaker has a fold of his own."""
    rows = []
    for speaker, (corpus, fold, hz) in {
        "a": ("crema-d", 1, 300),
        "b": ("crema-d", 1, 700),
        "c": ("crema-d", 2, 1100),
        "d": ("ravdess", 1, 1500),
        "e": ("savee", 1, 1900),
    }.items():
        for i in range(2):
            path = str(tmp_path / f"{speaker}{i}.wav")
            time_s = np.arange(RATE_HZ // (1 + i)) / RATE_HZ
            soundfile.write(path, 0.1 * np.sin(2 * np.pi * hz * time_s), RATE_HZ, subtype="FLOAT")
            rows.append((path, speaker, corpus, fold))
    return pd.DataFrame(rows, columns=["path", "speaker", "corpus", "fold"])


def loudest_hz(samples: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * RATE_HZ / len(samples))


@pytest.mark.parametrize(("speaker", "talker_hz"), [("a", 700), ("b", 300)])
def test_talkers_are_others_of_the_same_corpus_and_fold(
    clips: pd.DataFrame, speaker: str, talker_hz: float
) -> None:
    talkers = Talkers(clips)
    path = clips["path"][clips["speaker"] == speaker].iloc[0]
    for seed in range(10):
        background = talkers.babble(path, 12000, RATE_HZ, np.random.default_rng(seed))
        assert background.shape == (12000,)
        assert background.std() == pytest.approx(1)
        assert loudest_hz(background) == pytest.approx(talker_hz, abs=2)


def test_a_seed_gives_the_same_talkers_wherever_the_corpora_lie(
    clips: pd.DataFrame, tmp_path: Path
) -> None:
    path = clips["path"][0]
    here = [Talkers(clips).babble(path, 800, RATE_HZ, np.random.default_rng(s)) for s in (1, 1, 2)]
    assert np.array_equal(here[0], here[1])
    assert not np.array_equal(here[0], here[2])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for old in clips["path"]:
        Path(old).rename(elsewhere / Path(old).name)
    moved = clips.assign(path=[str(elsewhere / Path(old).name) for old in clips["path"]])
    again = Talkers(moved).babble(moved["path"][0], 800, RATE_HZ, np.random.default_rng(1))
    assert np.array_equal(again, here[0])


def test_who_has_no_others_gets_synthetic_voices(clips: pd.DataFrame) -> None:
    path = clips["path"][clips["speaker"] == "e"].iloc[0]
    background = Talkers(clips).babble(path, 16000, RATE_HZ, np.random.default_rng(0))
    assert background.std() == pytest.approx(1)
    spectrum = np.abs(np.fft.rfft(background)) ** 2
    assert spectrum.max() < 0.2 * spectrum.sum()  # of a tone, all is in one line


def test_silent_talkers_are_not_all_there_is(clips: pd.DataFrame) -> None:
    for path in clips["path"][clips["speaker"] == "b"]:
        soundfile.write(path, np.zeros(100), RATE_HZ)
    background = Talkers(clips).babble(clips["path"][0], 4000, RATE_HZ, np.random.default_rng(0))
    assert background.std() == pytest.approx(1)
