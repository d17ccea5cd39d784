"""Recipes: every number that makes a model. `serctl.train.recipes.loading` reads them."""

from dataclasses import dataclass
from typing import Literal

from serctl.features.mel import MelSpec
from serctl.train.recipes.heads import HeadsRecipe

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class ModelRecipe:
    """What is built.

    Attributes
    ----------
    name, network : str
        Of the model, and of its network in `serctl.models.networks.NETWORKS`.
    emotions : tuple of str
        In the order of the logits.
    window_s, min_duration_s : float
        As in `serctl.models.config.ModelConfig`.
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
        a processor with native bfloat16 (`serctl.train.training.precision`).
    noise : float
        Standard deviation of the normal noise added to the normalized inputs of training clips.
    mixup : float
        Both parameters of the beta distribution that clips of a batch are mixed by, in pairs (Zhang
        et al. 2018); 0 for never.
    label_smoothing : float
        Share of a target that goes to all emotions alike.
    votes_share : float
        Share of a CREMA-D clip's target that goes to the votes of its listeners.
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
    """How the features of training clips are augmented, anew each time the network sees one.

    Attributes
    ----------
    n_copies : int
        Augmented copies of each clip (`serctl.train.data.augmented_copies`).
    copy_share : float
        How often the network sees one of them instead of the clip.
    crop_frames : int
        Longer clips are cropped to so many frames, at a random place; 0 for never.
    stretch, warp : float
        Time, and frequency, are scaled by up to exp(+-this).
    n_masks : int
        Of bands, and of frames (SpecAugment, Park et al. 2019).
    mask_bands, mask_frames : int
        Most bands or frames that one of them covers.
    """

    n_copies: int
    copy_share: float
    crop_frames: int
    stretch: float
    warp: float
    n_masks: int
    mask_bands: int
    mask_frames: int


@dataclass(frozen=True)
class MixingRecipe:
    """How log-mel spectrograms of training clips are mixed (`serctl.train.data.mixing`).

    Attributes
    ----------
    crop_share, silence_share, background_share : float
        How often a clip is cropped, padded with silence, and mixed with background speech.
    """

    crop_share: float
    silence_share: float
    background_share: float


@dataclass(frozen=True)
class MuonRecipe:
    """How convolutions are trained (`serctl.train.training.muon`); AdamW trains the rest.

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
    """Auxiliary targets of a network (`serctl.train.training.auxiliary_heads`).

    Attributes
    ----------
    speaker : float
        Weight in the loss of recognizing the speaker, beside 1 for the emotion.
    """

    speaker: float


@dataclass(frozen=True)
class DistillationRecipe:
    """What a network learns from a frozen encoder (`serctl.train.data.distillation`).

    Attributes
    ----------
    steps, clip : float
        Weight in the loss of the mean squared error over the network's steps, and over the whole
        clip, beside 1 for the emotion.
    labels : float
        Share of a target that goes to what a linear classifier on the encoder says of the clip.
    n_components, n_clip_components : int
        Principal components of the encoder's activations, and of its embedding, that are learned.
    """

    steps: float
    clip: float
    labels: float
    n_components: int
    n_clip_components: int


@dataclass(frozen=True)
class MemberRecipe:
    """Settings of one member of several that are trained independently, so that they err differently.

    Attributes
    ----------
    mixing_factor : float
        Factor of the shares of `MixingRecipe`.
    sentence : float
        Weight in the loss of recognizing the sentence, beside 1 for the emotion.
    votes_for_neutral : bool
        Whether listeners' votes for neutral count for clips that are acted otherwise.
    """

    mixing_factor: float
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
        If its inputs have frames.
    mixing : MixingRecipe or None
        If its inputs are log-mel spectrograms that are mixed in training.
    muon : MuonRecipe or None
        How its convolutions are trained, if not by AdamW.
    auxiliary : AuxiliaryRecipe or None
        If it is trained on auxiliary targets too.
    distillation : DistillationRecipe or None
        If it learns from a frozen encoder too.
    svm : SvmRecipe or None
        How it is fitted, if it is one.
    heads : HeadsRecipe or None
        How its heads are trained, if it has a frozen encoder.
    members : tuple of MemberRecipe
        One for each network that is trained independently, if there are several.
    """

    model: ModelRecipe
    features: MelSpec
    training: TrainingRecipe | None = None
    augmentation: AugmentationRecipe | None = None
    mixing: MixingRecipe | None = None
    muon: MuonRecipe | None = None
    auxiliary: AuxiliaryRecipe | None = None
    distillation: DistillationRecipe | None = None
    svm: SvmRecipe | None = None
    heads: HeadsRecipe | None = None
    members: tuple[MemberRecipe, ...] = ()
