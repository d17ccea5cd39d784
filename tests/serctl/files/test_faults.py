"""Every write, rename and sync of commands without a worker process fails; `just faults` tries all."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "faults.py"


def test_no_output_is_lost_or_a_part_whatever_fails():
    done = subprocess.run(
        [sys.executable, SCRIPT, "--fast"], stdout=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    counts = [int(line.split()[1]) for line in done.stdout.splitlines()]
    assert len(counts) == 4
    assert min(counts) >= 6  # lock, file, write, sync, rename, ...
