"""``--engine ray`` on a local cluster of two nodes: ``just test-ray``, which installs Ray first.

Skipped without Ray, which is not among the packages of development: it has 600 MB.
"""

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

if not importlib.util.find_spec("ray"):
    pytest.skip("needs ray: just test-ray", allow_module_level=True)

# Ray reads them when it is imported; drivers and nodes inherit them.
os.environ.update(
    RAY_USAGE_STATS_ENABLED="0", RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32)
)

FOLD0 = os.environ.get("SERCTL_FOLD0")
pytestmark = pytest.mark.skipif(not FOLD0, reason="needs fold 0 of the corpora: SERCTL_FOLD0")

PORT = 6399
ADDRESS = f"127.0.0.1:{PORT}"
N_BROKEN = 30
N_SHARDS = 12
LIMIT_S = 600.0
OPTIONS = ("--model", "paper-cnn", "--speech", "off")
COMMAND = (sys.executable, "-P", "-m", "serctl", "classify")


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Folder with fold 0 and broken files, and the results of a local run."""
    folder = tmp_path_factory.mktemp("ray")
    shutil.copytree(FOLD0, folder / "recordings", copy_function=os.link)
    whole = sorted(Path(FOLD0).rglob("*.flac"))
    for i in range(N_BROKEN):
        content = whole[i].read_bytes()
        (folder / "recordings" / f"broken{i}.flac").write_bytes(content[: (i * len(content)) // 60])
    subprocess.run([*COMMAND, "recordings", "-o", "local.csv", "-q", *OPTIONS], cwd=folder)
    return folder


def ray_command(*arguments):
    command = [sys.executable, "-m", "ray.scripts.scripts", *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def raylets():
    """Process ids of the nodes on this machine."""
    found = subprocess.run(["pgrep", "-f", "raylet/raylet "], capture_output=True, text=True)
    return set(map(int, found.stdout.split()))


@pytest.fixture
def nodes():
    """Process ids of two nodes of three CPUs each, with a token."""
    size = ("--num-cpus=3", f"--object-store-memory={100 << 20}", "--node-ip-address=127.0.0.1")
    assert not raylets(), "a cluster runs on this machine already"
    try:
        ray_command("start", "--head", f"--port={PORT}", "--include-dashboard=false", *size)
        head = raylets()
        ray_command("start", f"--address={ADDRESS}", *size)
        yield [*head, *(raylets() - head)]
    finally:
        ray_command("stop", "--force")


def start(folder, *options):
    """Start a driver."""
    ray_options = ("--engine", "ray", "--address", ADDRESS, "--shards", str(N_SHARDS))
    command = [*COMMAND, "recordings", "-o", "ray.csv", *ray_options, *OPTIONS, *options]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def end(driver, folder):
    """Wait for a driver that must succeed; what it printed."""
    said, _ = driver.communicate(timeout=LIMIT_S)
    assert driver.returncode == 1, said.decode()  # since files are broken
    assert (folder / "ray.csv").read_bytes() == (folder / "local.csv").read_bytes()
    assert not (folder / "ray.csv.shards").exists()
    return said.decode()


def finished(folder):
    """Wait until some shards are finished; how many are."""
    until_s = time.monotonic() + LIMIT_S
    while time.monotonic() < until_s:
        shards = folder.glob("ray.csv.shards/*-of-*.csv")
        whole = [path for path in shards if not Path(f"{path}.journal").exists()]
        if len(whole) >= 2:
            return len(whole)
        time.sleep(0.05)
    raise AssertionError("no shard was finished")


def test_results_are_those_of_this_machine(recordings, nodes):
    said = end(start(recordings, "--overwrite"), recordings)
    assert f"{2258 + N_BROKEN} recordings in {N_SHARDS} shards" in said


def test_a_node_that_is_lost_costs_nothing(recordings, nodes):
    driver = start(recordings, "--overwrite")
    finished(recordings)
    os.kill(nodes[1], signal.SIGKILL)
    end(driver, recordings)


def test_a_driver_that_is_killed_goes_on_where_it_was(recordings, nodes):
    driver = start(recordings, "--overwrite")
    finished(recordings)
    driver.kill()
    driver.communicate()
    time.sleep(5)  # for the cluster to end the tasks of the driver that is gone
    before = finished(recordings)
    said = end(start(recordings, "--resume", "--overwrite"), recordings)
    assert f"Shards finished before: {before} of {N_SHARDS}" in said


def test_more_cpus_than_a_node_has_are_refused(recordings, nodes):
    driver = start(recordings, "--workers", "4", "--overwrite")
    said, _ = driver.communicate(timeout=LIMIT_S)
    assert driver.returncode == 3
    assert b"no node of the cluster has so many CPUs (the largest has 3)" in said
