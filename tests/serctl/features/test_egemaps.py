import numpy as np
import pytest

pytest.importorskip("opensmile")

from serctl.features import egemaps


def test_values_are_those_of_opensmile(write_recording, monkeypatch):
    path = write_recording("a.wav", "speech", 1.5)
    description = egemaps.EGEMAPS.describe(path, lambda: None)
    assert description.status == "ok"
    expected = egemaps._smile().process_file(path)
    assert egemaps.names() == tuple(expected.columns)
    assert len(egemaps.names()) == 88
    np.testing.assert_allclose(description.values, expected.to_numpy()[0], rtol=1e-2, atol=1e-2)
