from collections.abc import Callable

import numpy as np
import pytest

from serctl.train.data import augmented_copies
from serctl.train.data.augmented_copies import (
    PEAK,
    add_reverberation,
    augment,
    coloured_noise,
    simulate_telephone,
    synthetic_babble,
)

RATE_HZ = 16000
N_SAMPLES = 12000


@pytest.fixture
def voice() -> np.ndarray:
    """Harmonics of 150 Hz, float32."""
    time_s = np.arange(N_SAMPLES) / RATE_HZ
    harmonics = sum(np.sin(2 * np.pi * 150 * k * time_s) / k for k in range(1, 40))
    return (0.1 * np.asarray(harmonics)).astype(np.float32)


def power_share(samples: np.ndarray, low_hz: float, high_hz: float) -> float:
    """Share of the power between two frequencies."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    return float(power[(hz >= low_hz) & (hz < high_hz)].sum() / power.sum())


@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_drawn_gives_sound(voice: np.ndarray, seed: int) -> None:
    augmented = augment(voice, RATE_HZ, np.random.default_rng(seed))
    assert augmented.dtype == np.float32
    assert np.isfinite(augmented).all()
    assert np.abs(augmented).max() == pytest.approx(PEAK)
    assert 0.8 * N_SAMPLES < len(augmented) < 1.4 * N_SAMPLES


def test_a_seed_gives_the_same_damage_and_another_other(voice: np.ndarray) -> None:
    before = voice.copy()
    one, again, other = (augment(voice, RATE_HZ, np.random.default_rng(s)) for s in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert np.array_equal(voice, before)


@pytest.mark.parametrize("n_samples", [1, 2, 50, 1000])
@pytest.mark.parametrize("level", [0.0, 1e-4])
def test_short_and_silent_clips_pass(n_samples: int, level: float) -> None:
    for seed in range(20):
        samples = np.full(n_samples, level, np.float32)
        augmented = augment(samples, RATE_HZ, np.random.default_rng(seed))
        assert np.isfinite(augmented).all()
        assert len(augmented) > 0


def test_every_damage_happens_as_often_as_it_says(
    voice: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: dict[str, int] = {}

    def counting(name: str, damage: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
        def counted(*arguments: object) -> np.ndarray:
            happened[name] = happened.get(name, 0) + 1
            return damage(*arguments)

        return counted

    for name in ("add_reverberation", "draw_noise", "simulate_telephone", "simulate_recording"):
        monkeypatch.setattr(augmented_copies, name, counting(name, getattr(augmented_copies, name)))
    for seed in range(300):
        augment(voice[:800], RATE_HZ, np.random.default_rng(seed))
    expected = {
        "add_reverberation": 0.3,
        "draw_noise": 0.55,
        "simulate_telephone": 0.2,
        "simulate_recording": 0.25,
    }
    for name, share in expected.items():  # three standard deviations are 0.09
        assert happened[name] / 300 == pytest.approx(share, abs=0.09)


def test_a_room_decays() -> None:
    click = np.zeros(2 * RATE_HZ)
    click[0] = 1
    wet = add_reverberation(click, RATE_HZ, np.random.default_rng(0))
    assert wet[0] == 1
    energy = np.square(wet[1:])
    assert energy[:1000].sum() > 10 * energy[10000:11000].sum()


def test_noise_has_its_colour() -> None:
    white = coloured_noise(N_SAMPLES, RATE_HZ, 0.0, np.random.default_rng(0))
    brown = coloured_noise(N_SAMPLES, RATE_HZ, 1.2, np.random.default_rng(0))
    for noise in (white, brown):
        assert noise.std() == pytest.approx(1)
    assert power_share(white, 0, 4000) == pytest.approx(0.5, abs=0.05)
    assert power_share(brown, 0, 1000) > 0.9


def test_babble_is_low_and_uneven() -> None:
    chatter = synthetic_babble(4 * RATE_HZ, RATE_HZ, np.random.default_rng(0))
    assert chatter.std() == pytest.approx(1)
    assert power_share(chatter, 0, 4000) > 0.6
    loudness = np.square(chatter).reshape(40, -1).mean(axis=1)
    assert loudness.std() / loudness.mean() > 0.2  # of white noise about 0.04


def test_a_telephone_has_its_band(voice: np.ndarray) -> None:
    noise = np.random.default_rng(1).standard_normal(4 * RATE_HZ)
    line = simulate_telephone(noise, RATE_HZ, np.random.default_rng(0))
    assert power_share(line, 4000, 8000) < 0.01
    assert power_share(line, 300, 3500) > 0.9
    # At most 255 values come out of eight bits, before the rate is raised again.
    assert np.abs(line).max() < 1.5
