"""Windows of a recording, put together to blocks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from serctl.models.windows.blocks import cut_blocks

RECORDING = np.arange(4000, dtype=np.float32)

cases = given(
    starts=st.lists(st.integers(0, 3000), min_size=1, max_size=60, unique=True).map(sorted),
    window=st.integers(1, 400),
    block=st.integers(1, 900),
    context=st.integers(0, 300),
    grid=st.integers(1, 50),
)


def blocks_of(starts, window, *sizes):
    windows = ((start, RECORDING[start : start + window]) for start in starts)
    return list(cut_blocks(windows, *sizes))


@cases
def test_every_window_is_in_one_block(starts, window, block, context, grid):
    found = []
    for one in blocks_of(starts, window, block, context, grid):
        first = int(one.samples[0])
        np.testing.assert_array_equal(one.samples, RECORDING[first : first + len(one.samples)])
        found += [first + start for start in one.starts]
        assert one.starts[-1] + window <= len(one.samples)
    assert found == starts


@cases
def test_a_block_has_the_context_that_there_is_on_the_grid_of_its_run(
    starts, window, block, context, grid
):
    runs = []
    for start in starts:
        if not runs or start > runs[-1][1]:
            runs.append([start, start])
        runs[-1][1] = start + window
    for one in blocks_of(starts, window, block, context, grid):
        first = int(one.samples[0])
        begin, end = next(run for run in runs if run[0] <= first + one.starts[0] < run[1])
        assert first - begin == max(first + one.starts[0] - context - begin, 0) // grid * grid
        last = first + len(one.samples)
        assert last == min(first + one.starts[-1] + window + context, end)
        assert one.starts[-1] - one.starts[0] < block


def test_a_long_run_is_handed_over_block_by_block():
    drawn = []

    def windows():
        for start in range(0, 3000, 10):
            drawn.append(start)
            yield start, RECORDING[start : start + 40]

    next(cut_blocks(windows(), block=100, context=50, grid=1))
    assert drawn[-1] <= 100 + 50 + 10
