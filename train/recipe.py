"""Recipes: every number that makes a model. `serctl.train.recipe_files` reads them."""

from dataclasses import dataclass
from typing import Literal

from serctl.features import MelSpec
from serctl.train.precision import Precision


@dataclass(frozen=True)
class ModelRecipe:
    """What is built.

    Attributes
    ----------
    name, network : str
        Of the model, and of its network in `serctl.networks.NETWORKS`.
    emotions : tuple of str
        In the order of the logits.
    window_s, min_duration_s : float
        As in `serctl.models.ModelConfig`.
    """

    name: str
    network: str
    emotions: tuple[str, ...]
    window_s: float
    min_duration_s: float


@dataclass(frozen=True)
class TrainingRecipe:
    """How it is trained, step by step.

    Attributes
    ----------
    n_threads : int
        Of the CPU. Another number gives other weights, so it is not left to the machine.
    n_epochs : int
        At most.
    n_passes : int
        Passes over the clips in an epoch, which ends with validation and a checkpoint. Of clips with
        frames, a pass shows as many as make whole batches, drawn anew each time.
    patience : int
        Training stops after so many epochs without a better validation accuracy.
    batch_size : int
        Clips in a step.
    learning_rate : float
        Of AdamW; with ``one-cycle`` the highest.
    schedule : str
        ``constant``, or ``one-cycle``: up for a fifth of the steps, and down to nearly nothing
        (Smith and Topin 2019), whose last epoch is kept, and not the best.
    weight_decay : float
        Of AdamW.
    decayed : str
        What it acts on: ``all`` weights, or ``matrices``, which leaves out biases and norms.
    max_gradient : float
        Longer gradients are shortened to this norm; 0 for never.
    ema_decay : float
        Of the running mean of the weights over steps, which is what validates and is kept.
    ema_ramp : bool
        Whether its decay in step n is (n + 1) / (n + 10) at first, until that is larger.
    precision : str
        ``float32``, or ``bfloat16``: matrix products of training in bfloat16, weights in float32, on
        a processor that has it (`serctl.train.precision`).
    noise : float
        Deviation of the normal noise that is added to the scaled inputs of training clips.
    mixup : float
        Both parameters of the beta distribution that clips of a batch are mixed by, in pairs (Zhang
        et al. 2018); 0 for never.
    label_smoothing : float
        Share of a target that goes to all emotions alike.
    votes_share : float
        Share of a CREMA-D clip's target that goes to what its listeners heard.
    """

    n_threads: int
    n_epochs: int
    n_passes: int
    patience: int
    batch_size: int
    learning_rate: float
    schedule: Literal["constant", "one-cycle"]
    weight_decay: float
    decayed: Literal["all", "matrices"]
    max_gradient: float
    ema_decay: float
    ema_ramp: bool
    precision: Precision
    noise: float
    mixup: float
    label_smoothing: float
    votes_share: float


@dataclass(frozen=True)
class AugmentationRecipe:
    """How the spectrograms of training clips are changed, anew each time one is shown.

    Attributes
    ----------
    n_versions : int
        Copies of each clip with a damaged sound (`serctl.train.degradation`).
    version_share : float
        How often one of them is shown, and not the clip.
    crop_frames : int
        Longer clips are cut to so many frames, at a random place; 0 for never.
    stretch, warp : float
        Time, and frequency, are scaled by up to exp(+-this).
    n_masks : int
        Of bands, and of frames (SpecAugment, Park et al. 2019).
    mask_bands, mask_frames : int
        Most bands or frames that one of them covers.
    """

    n_versions: int
    version_share: float
    crop_frames: int
    stretch: float
    warp: float
    n_masks: int
    mask_bands: int
    mask_frames: int


@dataclass(frozen=True)
class DisturbanceRecipe:
    """What happens to log-mel spectrograms of training clips (`serctl.train.disturbance`).

    Attributes
    ----------
    cut_share, silence_share, bystanders_share : float
        How often only a part is heard, silence stands around it, and others talk.
    """

    cut_share: float
    silence_share: float
    bystanders_share: float


@dataclass(frozen=True)
class MuonRecipe:
    """How convolutions are trained (`serctl.train.muon`); AdamW trains the rest.

    Attributes
    ----------
    learning_rate : float
        With ``one-cycle`` the highest.
    weight_decay : float
        Times the rate, in each step.
    """

    learning_rate: float
    weight_decay: float


@dataclass(frozen=True)
class AuxiliaryRecipe:
    """What a network has to learn besides emotions (`serctl.train.telling_heads`).

    Attributes
    ----------
    speaker : float
        Share of the loss of telling who speaks, beside 1 for that of the emotion.
    """

    speaker: float


@dataclass(frozen=True)
class MemberRecipe:
    """What one of several networks that learn apart has of its own, so that they err differently.

    Attributes
    ----------
    disturbed : float
        Times the shares of `DisturbanceRecipe`.
    sentence : float
        Share of the loss of telling what is said, beside 1 for that of the emotion.
    votes_for_neutral : bool
        Whether listeners' votes for neutral count for clips that are acted otherwise.
    """

    disturbed: float
    sentence: float
    votes_for_neutral: bool


@dataclass(frozen=True)
class SvmRecipe:
    """How a linear SVM is fitted.

    Attributes
    ----------
    costs : tuple of float
        Values of C, of which the one is taken that is best on the validation clips.
    """

    costs: tuple[float, ...]


@dataclass(frozen=True)
class Recipe:
    """Everything that makes a model but the corpora, the split and the seed.

    Attributes
    ----------
    model : ModelRecipe
        What is built.
    features : MelSpec
        Of its input.
    training : TrainingRecipe or None
        How it is trained, unless it is an SVM.
    augmentation : AugmentationRecipe or None
        If it hears frames.
    disturbance : DisturbanceRecipe or None
        If it hears log-mel spectrograms that are disturbed in training.
    muon : MuonRecipe or None
        How its convolutions are trained, if not by AdamW.
    auxiliary : AuxiliaryRecipe or None
        If it learns more than emotions.
    svm : SvmRecipe or None
        How it is fitted, if it is one.
    members : tuple of MemberRecipe
        One for each network that learns apart, if there are several.
    """

    model: ModelRecipe
    features: MelSpec
    training: TrainingRecipe | None = None
    augmentation: AugmentationRecipe | None = None
    disturbance: DisturbanceRecipe | None = None
    muon: MuonRecipe | None = None
    auxiliary: AuxiliaryRecipe | None = None
    svm: SvmRecipe | None = None
    members: tuple[MemberRecipe, ...] = ()
