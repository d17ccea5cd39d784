import errno
import os
import re

import pytest

from serctl.errors import ResultsError
from serctl.files.appending import AppendedFile


def test_a_disk_that_refuses_to_cut_is_told_with_the_path(tmp_path, monkeypatch):
    def refuse(descriptor, end):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    file = AppendedFile(str(tmp_path / "a.journal"))
    monkeypatch.setattr(os, "ftruncate", refuse)
    with pytest.raises(ResultsError, match=re.escape(f"{file.path}: cannot be written (Input/")):
        file.cut(0)
    file.close()
