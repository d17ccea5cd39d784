import numpy as np
import pytest
import torch

from serctl.features import MelSpec, mel_edges, mel_to_hz
from serctl.inputs import log_mel
from serctl.train.conditions import add_noise
from serctl.train.disturbance import SNR_DB, disturbed
from serctl.train.recipe import DisturbanceRecipe

SPEC = MelSpec(rate_hz=16000, n_fft=512, hop_samples=160, n_mels=64, n_mfcc=20, top_db=70.0)
NOISE, TELEPHONE = DisturbanceRecipe(1.0, 0.0), DisturbanceRecipe(0.0, 1.0)
N_CLIPS = 24


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def tone(hz: float, n_samples: int = 16000) -> np.ndarray:
    """A tone with all of its overtones, with pauses."""
    times = np.arange(n_samples) / SPEC.rate_hz
    overtones = [np.sin(2 * np.pi * hz * i * times) / i for i in range(1, int(8000 / hz))]
    loudness = np.maximum(0, np.sin(2 * np.pi * 3 * times))
    return (np.sum(overtones, axis=0) * loudness).astype(np.float32)


@pytest.fixture
def clips() -> tuple[torch.Tensor, torch.Tensor]:
    """Tones, each a bit longer than the last, filled up with the floor."""
    n_samples = [8000 + 320 * i for i in range(N_CLIPS)]
    pictures = [log_mel(tone(90 + 10 * i, n), SPEC) for i, n in enumerate(n_samples)]
    batch = torch.full((N_CLIPS, len(pictures[-1]) + 5, SPEC.n_mels), -SPEC.top_db)
    for row, picture in zip(batch, pictures, strict=True):
        row[: len(picture)] = torch.from_numpy(picture)
    return batch, torch.tensor([len(picture) for picture in pictures])


def mean_db(picture: torch.Tensor) -> float:
    return float(10 * torch.log10(torch.pow(10, picture / 10).mean()))


@pytest.mark.parametrize("recipe", [NOISE, TELEPHONE, DisturbanceRecipe(1.0, 1.0)])
def test_clips_stay_in_db_above_their_mean_power_and_within_their_frames(
    clips: tuple[torch.Tensor, torch.Tensor], recipe: DisturbanceRecipe
) -> None:
    before = clips[0].clone()
    new = disturbed(*clips, SPEC, recipe)
    assert torch.equal(clips[0], before)
    assert not torch.equal(new, before)
    assert float(new.min()) == -SPEC.top_db
    for picture, n in zip(new, clips[1].tolist(), strict=True):
        assert mean_db(picture[:n]) == pytest.approx(0, abs=0.01)
        assert (picture[n:] == -SPEC.top_db).all()


def test_nothing_to_do_changes_nothing(clips: tuple[torch.Tensor, torch.Tensor]) -> None:
    assert disturbed(*clips, SPEC, DisturbanceRecipe(0.0, 0.0)) is clips[0]


def test_a_share_is_disturbed_and_the_others_stay(
    clips: tuple[torch.Tensor, torch.Tensor],
) -> None:
    new = disturbed(*clips, SPEC, DisturbanceRecipe(0.5, 0.0))
    same = (new == clips[0]).all(dim=(1, 2))
    assert 4 < int(same.sum()) < N_CLIPS - 4


def test_a_telephone_has_no_treble_and_little_bass(
    clips: tuple[torch.Tensor, torch.Tensor],
) -> None:
    hz = mel_to_hz(mel_edges(SPEC)[1:-1])
    change = torch.pow(10, disturbed(*clips, SPEC, TELEPHONE) / 10).sum(dim=1)
    change = 10 * torch.log10(change / torch.pow(10, clips[0] / 10).sum(dim=1)).mean(dim=0)
    middle = change[(hz > 600) & (hz < 2500)].mean()
    assert float(middle - change[hz < 100].mean()) > 10
    assert float(middle - change[hz > 5000].max()) > 30


def test_white_noise_is_like_that_of_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """The spectrogram of a clip with noise, and a clip's spectrogram with noise."""
    random = np.random.default_rng(0)
    samples, snr_db = tone(150, 3 * 16000), 5.0
    noisy = add_noise(samples, random.standard_normal(len(samples)), snr_db)
    wanted = torch.from_numpy(log_mel(noisy, SPEC))
    monkeypatch.setattr("serctl.train.disturbance.SNR_DB", (snr_db, snr_db))
    monkeypatch.setattr("serctl.train.disturbance.WHITE_SHARE", 1.0)
    clean = torch.from_numpy(log_mel(samples, SPEC))
    batch, n_frames = clean[None], torch.tensor([len(clean)])
    given = disturbed(batch, n_frames, SPEC, NOISE)[0]
    # The ratio is one of mel powers here, which count the treble less: another level of noise.
    pauses = clean.amax(dim=1) < -25
    assert pauses.sum() > 50
    shapes = [(one[pauses] - one[pauses].mean()).mean(dim=0) for one in (wanted, given)]
    assert float((shapes[0] - shapes[1]).abs().max()) < 3
    spreads = [one[pauses].std(dim=0) for one in (wanted, given)]
    assert float((spreads[0] / spreads[1]).log2().abs().median()) < 0.5


def test_bystanders_are_other_clips(
    clips: tuple[torch.Tensor, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serctl.train.disturbance.WHITE_SHARE", 0.0)
    monkeypatch.setattr("serctl.train.disturbance.COLOURED_SHARE", 0.0)
    monkeypatch.setattr("serctl.train.disturbance.SNR_DB", (-60.0, -60.0))
    batch, n_frames = clips
    batch = batch.clone()
    batch[:, :, 40:] = -SPEC.top_db  # nobody has treble
    new = disturbed(batch, n_frames, SPEC, NOISE)
    assert float(new[:, :, 45:].max()) < -30
    assert not torch.allclose(new[:, :, :40], batch[:, :, :40], atol=1.0)


def test_snr_is_drawn_from_its_range() -> None:
    assert SNR_DB[0] < 0 < 20 < SNR_DB[1]
