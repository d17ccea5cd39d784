"""Logits of all windows of a long recording, in one run of the network.

A network of convolutions computes the same for a moment whichever window it is in, but for what it
takes from the whole window: the level, the gates of squeeze and excitation, and pooling. Here the
level is that of the windows around each frame, gates are means over the window around each step, and
pooling is over the steps of each window; pauses are left out of all three. This is a quarter of the
arithmetic of windows of 4 s every second, and a shorter hop costs next to nothing. Logits differ from
those of single windows; timelines are no less right (docs/long-recordings.md).

It runs on the CPU whatever the device, so that timelines are the same.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from serctl.audio.windows import Windowing
from serctl.models.config import ModelConfig
from serctl.models.inference import graph_session
from serctl.models.inputs import normalize_log_mel
from serctl.models.loading import Model
from serctl.models.networks import NETWORKS, cnn_graph
from serctl.models.networks.builder import INPUT, OUTPUT, SPEECH, STEPS, GraphBuilder
from serctl.models.windows.blocks import BLOCK_S, Block, cut_blocks
from serctl.models.windows.spectrogram import sliding_log_mel
from serctl.timing import FEATURES, NETWORK, Timer

MIN_OVERLAP = 2.0  # windows a moment; with fewer, windows one by one are as fast


def can_slide(config: ModelConfig, windowing: Windowing) -> bool:
    """Whether a model can run once over a recording, and saves time by it."""
    overlap = min(windowing.window_s, config.window_s) / windowing.hop_s
    return NETWORKS[config.network].slides and overlap >= MIN_OVERLAP


class SlidingInference:
    """A network that slides over recordings, in float32 on the thread that calls it.

    Parameters
    ----------
    model : Model
        One that `can_slide`.
    windowing : Windowing
        Its windows, which are no longer than those of the model.
    """

    def __init__(self, model: Model, windowing: Windowing) -> None:
        self._config = model.config
        spec = model.config.features
        self._hop, self._step = spec.hop_samples, spec.hop_samples * cnn_graph.STEP_FRAMES
        self._window = round(min(windowing.window_s, model.config.window_s) * spec.rate_hz)
        self._window_frames = max(self._window // self._hop, 1)
        builder = GraphBuilder(model.tensors)
        logits = cnn_graph.sliding_graph(
            builder, INPUT, SPEECH, STEPS, self._window_frames, len(model.config.emotions)
        )
        self._session = graph_session(builder.model(logits, slides=True))

    def blocks(
        self, windows: Iterable[tuple[int, NDArray[np.float32]]], block_s: float = BLOCK_S
    ) -> Iterator[Block]:
        """Blocks of `serctl.models.windows.blocks.cut_blocks` with the context that is needed.

        Parameters
        ----------
        windows : iterable of tuple of int and float32 [n_samples]
            First sample and samples of each window, in the order of time.
        block_s : float
            Length of a block, in seconds.
        """
        # Half a window for the loudest frame, for each of the two means of the level, and each gate.
        n_means = 3 + len(cnn_graph.WIDTHS)
        context = n_means * (self._window // 2 + self._step) + cnn_graph.REACH_FRAMES * self._hop
        block = round(block_s * self._config.features.rate_hz)
        return cut_blocks(windows, block, context, self._step)

    def logits(self, block: Block) -> NDArray[np.float64]:
        """Logits [n_windows, n_emotions] of the windows of a block."""
        config = self._config
        with Timer(FEATURES):
            frames, is_speech = sliding_log_mel(block.samples, config.features, self._window_frames)
            spectrogram = normalize_log_mel(frames, config.normalization, config.features)
            speech = np.zeros(spectrogram.shape[1], np.float32)
            speech[: len(is_speech)] = is_speech
        with Timer(NETWORK):
            n_steps = spectrogram.shape[1] // cnn_graph.STEP_FRAMES
            (logits,) = self._session.run(
                [OUTPUT],
                {
                    INPUT: spectrogram[None],
                    SPEECH: speech,
                    STEPS: self._steps_of(block.starts, n_steps),
                },
            )
            found: NDArray[np.float64] = logits.astype(np.float64)
            return found

    def _steps_of(self, starts: tuple[int, ...], n_steps: int) -> NDArray[np.int64]:
        """Steps in each window, int64 [n_windows, n]: those around its middle."""
        n = max(round(self._window / self._step), 1)
        middles = (np.array(starts) + self._window / 2) / self._step
        # Halves go up, wherever the block begins; `np.round` takes them to even numbers.
        firsts = np.floor(middles - (n - 1) / 2 + 0.5).astype(np.int64)
        steps: NDArray[np.int64] = firsts[:, None] + np.arange(n)
        return steps.clip(0, n_steps - 1)
