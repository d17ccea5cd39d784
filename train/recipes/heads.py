"""Recipe of heads on a frozen encoder."""

from dataclasses import dataclass


@dataclass(frozen=True)
class HeadsRecipe:
    """How heads on a frozen encoder are trained (`serctl.train.training.heads`).

    Attributes
    ----------
    n_steps : int
        Of each head.
    batch_size : int
        Recordings in a step, at least.
    learning_rate : float
        The highest of a one-cycle schedule, of AdamW.
    weight_decay, dropout : float
        Of AdamW, and of the hidden layer.
    n_copies : int
        Augmented copies of each clip (`serctl.train.data.augmented_copies`).
    n_noisy_copies : int
        Further ones, all of them noisy, with other speakers in the background.
    copy_share : float
        Share of the groups that are of augmented copies, and not noisy ones.
    alone_share : float
        Share of the draws that are recordings alone, not a voice's group.
    max_recordings : int
        Most of a group.
    neutral_share : float
        Share of the groups that are mostly neutral.
    neutral_weight : float
        Of a neutral recording in a group, in the loss, so that the many do not outweigh the others.
    max_certainty : float
        How much of a group's true shares of emotions its correction knows: 0 to this.
    share_noise : float
        How far off the correction is otherwise.
    noisy_shares : tuple of float
        For each head, share of the groups that are of noisy copies.
    speaker_shifts : tuple of float
        For each head, how far recordings are moved from their speaker's mean towards another's: up
        to this, in eight of ten groups.
    label_smoothing : tuple of float
        For each head.
    """

    n_steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    dropout: float
    n_copies: int
    n_noisy_copies: int
    copy_share: float
    alone_share: float
    max_recordings: int
    neutral_share: float
    neutral_weight: float
    max_certainty: float
    share_noise: float
    noisy_shares: tuple[float, ...]
    speaker_shifts: tuple[float, ...]
    label_smoothing: tuple[float, ...]
