"""Groups of recordings for training: some recordings of one training speaker, in a mix of emotions.

Each group is of one speaker; emotions have shares drawn from a Dirichlet distribution, and some
groups are mostly neutral, as real recordings are. The rest of a batch are recordings alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serctl.train.recipes.heads import HeadsRecipe

N_ALONE = 8  # recordings alone of a speaker that is drawn
NEUTRAL_SHARE = (0.5, 0.95)  # of a group that is mostly neutral


@dataclass(frozen=True)
class Groups:
    """One batch.

    Attributes
    ----------
    rows : int64 [n]
        Recordings.
    group_of : int64 [n]
        Index of each one's group.
    n_groups : int
        How many there are.
    """

    rows: NDArray[np.int64]
    group_of: NDArray[np.int64]
    n_groups: int


class GroupSampler:
    """Draws batches of groups.

    Parameters
    ----------
    labels : int64 [n]
        Index of each training recording's emotion.
    speakers : int64 [n]
        Index of its speaker, from 0 on.
    corpora : sequence of str [n]
        Its corpus. A corpus is drawn in proportion to the square root of its recordings, and each
        of its speakers as often.
    neutral : int
        Index of the neutral emotion; -1 if there is none.
    recipe : HeadsRecipe
        Sizes and shares.
    random : Generator
        Draws them.

    Attributes
    ----------
    weights : float64 [n_speakers]
        How probable each speaker is.
    """

    def __init__(
        self,
        labels: NDArray[np.int64],
        speakers: NDArray[np.int64],
        corpora: NDArray[np.str_],
        neutral: int,
        recipe: HeadsRecipe,
        random: np.random.Generator,
    ) -> None:
        self._recipe, self._random, self._neutral = recipe, random, neutral
        n_speakers, n_labels = speakers.max() + 1, labels.max() + 1
        self._cells = [
            [np.flatnonzero((speakers == i) & (labels == k)) for k in range(n_labels)]
            for i in range(n_speakers)
        ]
        corpus_of = np.array([corpora[speakers == i][0] for i in range(n_speakers)])
        weights = np.empty(n_speakers)
        for corpus in np.unique(corpus_of):
            ours = corpus_of == corpus
            weights[ours] = np.sqrt((corpora == corpus).sum()) / ours.sum()
        self.weights = weights / weights.sum()

    def draw(self) -> Groups:
        """Draw a batch of at least ``batch_size`` recordings."""
        random, recipe = self._random, self._recipe
        rows: list[NDArray[np.int64]] = []
        sizes: list[int] = []
        while sum(sizes) < recipe.batch_size:
            cells = self._cells[random.choice(len(self._cells), p=self.weights)]
            if random.random() < recipe.alone_share:
                alone = [k for k, cell in enumerate(cells) if len(cell)]
                chosen = [random.choice(cells[k]) for k in random.choice(alone, N_ALONE)]
                rows.append(np.array(chosen))
                sizes += [1] * N_ALONE
            else:
                rows.append(self._group(cells))
                sizes.append(len(rows[-1]))
        group_of = np.repeat(np.arange(len(sizes)), sizes)
        return Groups(np.concatenate(rows), group_of, len(sizes))

    def _group(self, cells: list[NDArray[np.int64]]) -> NDArray[np.int64]:
        """Recordings of one speaker, of which some come twice where an emotion has too few."""
        random = self._random
        present = [k for k, cell in enumerate(cells) if len(cell)]
        n = int(np.exp(random.uniform(np.log(2), np.log(self._recipe.max_recordings + 0.99))))
        shares = random.dirichlet(np.ones(len(present)))
        if self._neutral in present and random.random() < self._recipe.neutral_share:
            neutral = random.uniform(*NEUTRAL_SHARE)
            shares *= 1 - neutral
            shares[present.index(self._neutral)] += neutral
        counts = random.multinomial(n, shares / shares.sum())
        chosen = [
            random.choice(cells[k], count, replace=count > len(cells[k]))
            for k, count in zip(present, counts, strict=True)
        ]
        return np.concatenate(chosen)
