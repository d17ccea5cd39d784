import os

import numpy as np
import pytest
from support import faulty_worker

from serctl.engine.workers.cutting import cut_isolated
from serctl.engine.workers.supervisor import Supervisor
from serctl.errors import AudioError
from serctl.timeline.clips import cut_spans


def start_faulty(request):
    return Supervisor(request, faulty_worker.COMMAND, 1.5)


def test_stretches_are_those_of_this_process(write_recording, tmp_path):
    spans = [(None, 0.5, 1.25), (2, -0.5, 0.5), (1, 1.0, 9.0)]
    spans_of = {write_recording(f"{i}.wav", "speech", 2.0, 22050, 2): spans for i in range(3)}
    (tmp_path / "spool").mkdir()
    found = list(cut_isolated(spans_of, str(tmp_path / "spool")))
    expected = [cut for path, spans in spans_of.items() for cut in cut_spans(path, spans)]
    assert [(c.path, c.place, c.rate_hz) for c in found] == [
        (c.path, c.place, c.rate_hz) for c in expected
    ]
    for cut, same in zip(found, expected, strict=True):
        np.testing.assert_array_equal(cut.samples, same.samples)
    assert os.listdir(tmp_path / "spool") == []


@pytest.mark.parametrize(
    ("name", "reason"), [("crash", "SIGSEGV"), ("hang", r"no progress for 1\.5 s")]
)
def test_a_recording_that_crashes_or_hangs_costs_its_own(write_recording, tmp_path, name, reason):
    paths = [write_recording(f"{name}.wav", "noise", 0.5) for name in ("a", name, "b")]
    cuts = cut_isolated({path: [(None, 0, 9)] for path in paths}, str(tmp_path), start_faulty)
    assert [next(cuts).path, next(cuts).path] == [paths[0], paths[2]]
    with pytest.raises(AudioError, match=rf"{name}\.wav.*{reason}"):
        next(cuts)
