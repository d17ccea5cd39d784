"""Object stores without a network: buckets that are folders, read by pyarrow like any store.

``s3://b/a.wav`` is the file ``b/a.wav`` below the folder that SERCTL_TEST_BUCKETS names. The module
is also what starts workers that see it.
"""

import os
import sys
from pathlib import Path

from serctl.files import objects

TESTS = str(Path(__file__).parents[1])
VARIABLE = "SERCTL_TEST_BUCKETS"
COMMAND = (
    sys.executable,
    "-P",
    "-c",
    f"import sys, serctl; sys.path.append({TESTS!r}); from support.buckets import main; main()",
)


def file_system(store, bucket):
    from pyarrow import fs

    return fs.SubTreeFileSystem(os.environ[VARIABLE], fs.LocalFileSystem())


def put(folder, *names):
    """Make objects, each with its name as content."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def main():
    from serctl.engine.workers import worker
    from serctl.files import downloads

    objects.file_system = downloads.file_system = file_system
    downloads.PAUSES_S = ()
    worker.main()
