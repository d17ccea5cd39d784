"""Training of the heads of `whisper` on embeddings of a frozen encoder.

A step shows groups of recordings of one speaker, as `serctl.models.voices` gives them to the heads,
and recordings alone. A group's mean is corrected by its true shares of emotions, with errors as
large as a first pass makes them. Embeddings are moved towards other speakers' means, so that heads
rely on what emotions do to a voice and not on whose voice it is.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import nll_loss, one_hot
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from serctl.models.networks.whisper_graph import HEADS
from serctl.models.networks.whisper_torch import Head, Whisper
from serctl.models.voices import SHRINKAGE
from serctl.train.data.encoder import FrozenEncoder
from serctl.train.data.preparation import Embeddings, PreparedClips
from serctl.train.data.voice_groups import Groups, GroupSampler
from serctl.train.evaluation.history import Epoch, History
from serctl.train.recipes.heads import HeadsRecipe

N_EPOCHS = 10  # parts of a training, each with its point on the learning curve
RISING_SHARE = 0.1  # of the steps
BETAS = (0.9, 0.99)
SHIFTED_SHARE = 0.8  # of the groups
LEAST_STD = 1e-4

OnEpoch = Callable[[Sequence[History], int, int], None]


class HeadsTraining:
    """Trains the heads of a network, in place.

    Parameters
    ----------
    network : Whisper
        Untrained. Its normalization and class offsets are set too.
    train, validation : Embeddings
        Of validation, the clips themselves are used.
    recipe : HeadsRecipe
        How.
    seed : int
        Of all that is drawn; head i draws from ``100 * seed + i``.

    Attributes
    ----------
    histories : list of History
        One of each head, so far.
    """

    def __init__(
        self,
        network: Whisper,
        train: Embeddings,
        validation: Embeddings,
        recipe: HeadsRecipe,
        seed: int,
    ) -> None:
        self.histories: list[History] = []
        self._network, self._train, self._recipe, self._seed = network, train, recipe, seed
        copies = torch.from_numpy(train.copies)
        mean, std = copies[0].mean(dim=0), copies[0].std(dim=0, correction=0) + LEAST_STD
        network.embedding.mean, network.embedding.std = mean, std
        self._copies = network.embedding(copies)
        self._held_out = network.embedding(torch.from_numpy(validation.copies[0]))
        self._references = torch.from_numpy(validation.labels)
        self._labels = torch.from_numpy(train.labels)
        self._speakers = torch.from_numpy(train.speakers)
        self._speaker_means: Tensor | None = None  # with the class offsets; all heads have the same

    def fit(self, on_epoch: OnEpoch) -> list[History]:
        """Train one head after another.

        Parameters
        ----------
        on_epoch : callable
            As `serctl.train.training.train.Watcher.epochs`.
        """
        for i, head in enumerate(self._network.heads):
            assert isinstance(head, Head)
            self._fit_head(i, head, on_epoch)
        return self.histories

    def _fit_head(self, i: int, head: Head, on_epoch: OnEpoch) -> None:
        recipe, train = self._recipe, self._train
        random = np.random.default_rng(100 * self._seed + i)
        torch.manual_seed(100 * self._seed + i)
        n_emotions = len(self._network.class_offsets)
        head.load_state_dict(Head(HEADS[i], n_emotions).state_dict())  # drawn from this seed
        sampler = GroupSampler(
            train.labels, train.speakers, train.corpora, train.neutral, recipe, random
        )
        if self._speaker_means is None:
            self._speaker_means = self._set_class_offsets(sampler.weights)
        smoothing = recipe.label_smoothing[i]
        targets = one_hot(self._labels, n_emotions) * (1 - smoothing) + smoothing / n_emotions
        optimizer = AdamW(head.parameters(), recipe.learning_rate, BETAS, 1e-8, recipe.weight_decay)
        schedule = OneCycleLR(
            optimizer, recipe.learning_rate, total_steps=recipe.n_steps, pct_start=RISING_SHARE
        )
        self.histories.append(History())
        losses = []
        for step in range(1, recipe.n_steps + 1):
            groups = sampler.draw()
            x = self._inputs(groups, self._speaker_means, sampler.weights, i, random)
            counts = np.bincount(groups.group_of)[groups.group_of]
            n = torch.from_numpy(counts[:, None].astype(np.float32))
            rows = torch.from_numpy(groups.rows)
            losses_of = -(head(x, n, recipe.dropout) * targets[rows]).sum(dim=1)
            lighter = (n[:, 0] > 1) & (self._labels[rows] == train.neutral)
            weights = torch.where(lighter, recipe.neutral_weight, 1.0)
            loss = (losses_of * weights).sum() / weights.sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
            if step * N_EPOCHS // recipe.n_steps > (step - 1) * N_EPOCHS // recipe.n_steps:
                self._validate(head, losses)
                losses = []
                on_epoch(self.histories, N_EPOCHS, len(self._network.heads))

    def _inputs(
        self,
        groups: Groups,
        speaker_means: Tensor,
        weights: NDArray[np.float64],
        i: int,
        random: np.random.Generator,
    ) -> Tensor:
        """Embeddings of a batch as a head gets them, float32 [n, n_inputs]."""
        recipe, n_groups, n_inputs = self._recipe, groups.n_groups, HEADS[i].n_inputs
        rows, group_of = torch.from_numpy(groups.rows), torch.from_numpy(groups.group_of)
        copy_of = random.choice(len(self._copies), n_groups, p=copy_shares(recipe, i))
        copies = torch.from_numpy(copy_of)[group_of]
        x = self._copies[:, :, :n_inputs][copies, rows]
        n = torch.bincount(group_of, minlength=n_groups).float()[:, None]
        shrunk = torch.where(n > 1, n / (n + SHRINKAGE), 0.0)
        mean = torch.zeros(n_groups, x.shape[1]).index_add_(0, group_of, x) / n
        offsets = self._network.class_offsets[:, :n_inputs]
        labels = one_hot(self._labels[rows], len(offsets)).float()
        shares = torch.zeros(n_groups, len(offsets)).index_add_(0, group_of, labels) / n
        common = shrunk * (mean - self._corrected(shares, random) @ offsets)
        # Some groups are moved, as far as their mean is not taken off, to another speaker's place.
        others = torch.from_numpy(random.choice(len(weights), n_groups, p=weights))
        drawn = (random.random(n_groups) < SHIFTED_SHARE) * random.random(n_groups)
        far = torch.from_numpy((drawn * recipe.speaker_shifts[i]).astype(np.float32))[:, None]
        own = self._speakers[rows]
        speaker_means = speaker_means[:, :, :n_inputs]
        moved = speaker_means[copies, others[group_of]] - speaker_means[copies, own]
        y: Tensor = x - common[group_of] + ((1 - shrunk) * far)[group_of] * moved
        return y

    def _corrected(self, shares: Tensor, random: np.random.Generator) -> Tensor:
        """Shares of emotions as a first pass would find them, float32 [n_groups, n_emotions]."""
        n_groups, n_emotions = shares.shape
        certain = random.uniform(0, self._recipe.max_certainty, (n_groups, 1))
        wrong = random.dirichlet(np.ones(n_emotions), n_groups) - 1 / n_emotions
        noise = self._recipe.share_noise * random.random((n_groups, 1)) * wrong
        return torch.from_numpy(certain).float() * shares + torch.from_numpy(noise).float()

    def _set_class_offsets(self, weights: NDArray[np.float64]) -> Tensor:
        """Set what each emotion does to a speaker's embeddings.

        Returns
        -------
        float32 [1 + n_copies, n_speakers, n_embedding]
            Mean of each speaker, over the means of the emotions that there are.
        """
        n_speakers, n_emotions = len(weights), len(self._network.class_offsets)
        cells = self._speakers * n_emotions + self._labels
        counts = torch.bincount(cells, minlength=n_speakers * n_emotions).float()
        present = (counts > 0).float().view(n_speakers, n_emotions, 1)
        weight = torch.from_numpy(weights).float()[:, None, None] * present
        means, offsets = [], []
        for x in self._copies:
            sums = torch.zeros(len(counts), x.shape[1]).index_add_(0, cells, x)
            cell_means = sums / counts.clamp(min=1)[:, None]
            cell_means = cell_means.view(n_speakers, n_emotions, -1)
            means.append((cell_means * present).sum(dim=1) / present.sum(dim=1))
            differences = (cell_means - means[-1][:, None]) * weight
            offsets.append(differences.sum(dim=0) / weight.sum(dim=0).clamp(min=1e-9))
        self._network.class_offsets = torch.stack(offsets).mean(dim=0)
        return torch.stack(means)

    def _validate(self, head: Head, losses: list[float]) -> None:
        with torch.inference_mode():
            scores = head(self._held_out, torch.ones(len(self._held_out), 1))
            loss = nll_loss(scores, self._references).item()
            right = (scores.argmax(dim=1) == self._references).double().mean().item()
        history = self.histories[-1]
        history.epochs.append(Epoch(float(np.mean(losses)), loss, right))
        history.best_epoch = len(history.epochs) - 1  # the last one is kept


def copy_shares(recipe: HeadsRecipe, i: int) -> NDArray[np.float64]:
    """Share of a head's groups that are of each copy, the clips themselves first, noisy ones last.

    Returns
    -------
    float64 [1 + n_copies + n_noisy_copies]
    """
    shares = [recipe.copy_share / max(recipe.n_copies, 1)] * recipe.n_copies
    shares += [recipe.noisy_shares[i] / max(recipe.n_noisy_copies, 1)] * recipe.n_noisy_copies
    return np.array([1 - sum(shares), *shares])


def train_heads(
    clips: PreparedClips,
    recipe: HeadsRecipe,
    encoder: FrozenEncoder,
    seed: int,
    on_epoch: OnEpoch,
) -> tuple[Whisper, list[History]]:
    """Train a network's heads on the embeddings of prepared clips.

    Parameters
    ----------
    clips : PreparedClips
        With embeddings as features.
    recipe, seed, on_epoch
        As for `HeadsTraining`.
    encoder : FrozenEncoder
        The one that made them.
    """
    torch.set_deterministic_debug_mode("error")
    torch.set_num_threads(1)
    network = Whisper(len(clips.emotions))
    state = {key: torch.from_numpy(tensor) for key, tensor in encoder.tensors.items()}
    network.load_state_dict(network.state_dict() | state)
    train = clips.embeddings(clips.split.train, copies=True)
    validation = clips.embeddings(clips.split.validation, copies=False)
    histories = HeadsTraining(network, train, validation, recipe, seed).fit(on_epoch)
    return network.eval(), histories
