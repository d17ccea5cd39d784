"""Nothing is sent anywhere, and nothing is kept but results, journals and serctl's own cache.

Every command and the Python API are run where there is nothing yet: an empty home, an empty folder
for what is temporary, none of the user's variables. `strace` sees every call to the network of a
process and of those that it starts; without it, a namespace with no way out counts what found none.
"""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import synthetic_corpora

from serctl.cli import cli

RECORDING = Path(__file__).parents[1] / "recordings" / "calls" / "bakery-order.wav"
OTHER_RECORDING = RECORDING.with_name("train-times.wav")
# What telemetry there is gathers first, and asks for its server's address 8.5 s after it was loaded.
LINGER_S = 11
TIMEOUT_S = 300

SERCTL = [sys.executable, "-P", "-m", "serctl"]
# With the small manifest; -P: without the folder of the script, whose folder `serctl` is no package.
SERCTL_ON_FEW_CLIPS = [sys.executable, "-P", synthetic_corpora.__file__]
API = f"""\
import time
from serctl.classifier import Classifier
assert Classifier(device="cpu").classify({str(RECORDING)!r}).status == "ok"
time.sleep({LINGER_S})
"""
# Says on standard error how many calls found no way out of a namespace whose network is down.
IN_NAMESPACE = """\
import subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
lost = 0
lines = [line.split() for line in open("/proc/net/snmp") if line.startswith("Ip:")]
lost += int(lines[1][lines[0].index("OutNoRoutes")])
for line in open("/proc/net/snmp6"):
    lost += int(line.split()[1]) if line.startswith("Ip6OutNoRoutes") else 0
sys.stderr.write(f"\\nlost {lost}\\n")
sys.exit(status)
"""
CANARY = """\
import socket
try:
    socket.create_connection(("192.0.2.1", 53), timeout=0.2)
except OSError:
    pass
"""


def _works(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run([*command, "true"], capture_output=True).returncode == 0


STRACE = ("strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=network", "-e", "signal=none")
NAMESPACE = ("unshare", "-rn")


def watcher() -> str:
    """What can see a process talk to the network: ``strace``, ``namespace``, or nothing."""
    if _works(*STRACE):
        return "strace"
    return "namespace" if _works(*NAMESPACE) else ""


@dataclass
class Seen:
    """What was seen of one run."""

    done: subprocess.CompletedProcess[str]
    sent: list[str]  # calls that make or use a socket of the internet, of any kind
    home: Path
    temporary: Path
    folder: Path  # that it was run in

    def kept(self, folder: Path) -> set[str]:
        """Files in a folder, by their path there."""
        return {str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir()}


def watch(root: Path, command: list[str], variables: dict[str, str] | None = None) -> Seen:
    """Run a command where there is nothing yet, and see what it sends and keeps."""
    home, temporary, folder = root / "home", root / "tmp", root / "here"
    for empty in (home, temporary, folder):
        empty.mkdir(parents=True)
    trace, how = root / "trace", watcher()
    watched = {
        "strace": [*STRACE, "-o", str(trace)],
        "namespace": [*NAMESPACE, sys.executable, "-c", IN_NAMESPACE],
        "": [],
    }[how]
    environment = {"HOME": str(home), "TMPDIR": str(temporary), "PATH": os.environ["PATH"]}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"  # into the checkout
    done = subprocess.run(
        [*watched, *command],
        cwd=folder,
        env=environment | (variables or {}),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    sent = []
    if how == "strace":
        # Not even to this machine: what resolves names may listen here.
        sent = [line for line in trace.read_text().splitlines() if "AF_INET" in line]
    elif how == "namespace":
        sent = [line for line in done.stderr.splitlines()[-1:] if line != "lost 0"]
    return Seen(done, sent, home, temporary, folder)


@dataclass(frozen=True)
class Case:
    """A command, and the files that it writes in the folder that it is run in."""

    command: list[str]
    written: str = ""


RESULTS = (
    "path,status,reason,emotion,confidence,p_angry,p_sad,duration_s,sample_rate_hz,channels,windows\n"
    "a.wav,ok,,sad,0.9,0.1,0.9,1.0,16000,1,1\n"
)
# Folders of inputs, made by `inputs`.
CLIPS, LABELLED, TABLE = "../../clips", "../../labelled", "../../results.csv"
TRAIN = f"train --model paper-cnn --epochs 1 --device cpu --corpora {CLIPS} -o w"
EVALUATE = f"evaluate --labels folders {LABELLED} -o s.json --figures f"
PICTURES = [
    f"f/{name}.{form}"
    for name in ("accuracy_by_emotion", "confusion_matrix", "precision_recall", "reliability")
    for form in ("png", "svg")
]

CASES = {  # the longest first
    "api": Case([sys.executable, "-P", "-c", API]),
    "train": Case(
        [*SERCTL_ON_FEW_CLIPS, *TRAIN.split()],
        "w/model.safetensors w/config.json w/metrics.json w/card.md w/learning_curve.png "
        "w/confusion_matrix.png w/test_logits.npz",
    ),
    "evaluate": Case([*SERCTL, *EVALUATE.split()], " ".join(["s.json", *PICTURES])),
    "corpora": Case(
        [*SERCTL_ON_FEW_CLIPS, *f"corpora {CLIPS} -o c.csv --figure c.png".split()], "c.csv c.png"
    ),
    "plot": Case([*SERCTL, "plot", str(RECORDING), "-o", "p.svg"], "p.svg"),
    "classify": Case([*SERCTL, "classify", str(RECORDING), "-o", "r.csv"], "r.csv r.csv.run.json"),
    "features": Case([*SERCTL, "features", str(RECORDING), "-o", "f.csv"], "f.csv"),
    "report": Case([*SERCTL, "report", TABLE]),
    "--help": Case([*SERCTL, "--help"]),
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Seen]:
    """What was seen of each of `CASES`, run two at a time, beside the one that lingers."""
    root = tmp_path_factory.mktemp("privacy")
    synthetic_corpora.write_clips(root / "clips")
    for emotion, recording in (("neutral", RECORDING), ("happy", OTHER_RECORDING)):
        (root / "labelled" / emotion).mkdir(parents=True)
        shutil.copy(recording, root / "labelled" / emotion)
    (root / "results.csv").write_text(RESULTS)
    with ThreadPoolExecutor(3) as pool:
        runs = {name: pool.submit(watch, root / name, case.command) for name, case in CASES.items()}
    return {name: run.result() for name, run in runs.items()}


def test_every_command_is_looked_at() -> None:
    assert set(cli.commands) <= set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_sent(seen: dict[str, Seen], name: str) -> None:
    if not watcher():
        pytest.skip("neither strace nor unshare -rn is to be had, to see what is sent")
    assert seen[name].done.returncode == 0, seen[name].done.stderr
    assert seen[name].sent == []


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_kept_but_what_is_asked_for(seen: dict[str, Seen], name: str) -> None:
    one = seen[name]
    assert one.done.returncode == 0, one.done.stderr
    kept = one.kept(one.home)
    assert {path for path in kept if not path.startswith(".cache/serctl/")} == set()
    assert one.kept(one.temporary) == set()
    assert one.kept(one.folder) == set(CASES[name].written.split())


@pytest.mark.skipif(not watcher(), reason="neither strace nor unshare -rn is to be had")
def test_what_is_sent_is_seen(tmp_path: Path) -> None:
    assert watch(tmp_path, [sys.executable, "-c", CANARY]).sent
