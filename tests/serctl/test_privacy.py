"""No command uses the network, and none leaves files but its output and serctl's own cache.

Every command and the Python API run with an empty home, an empty temporary folder and none of the
user's environment variables. `strace` lists the network calls of a process and of its children. If
it is not installed, a network namespace without routes counts the packets that found no route.
"""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import synthetic_corpora

from serctl.cli import cli

pytestmark = pytest.mark.slow

RECORDING = Path(__file__).parents[1] / "recordings" / "calls" / "bakery-order.wav"
OTHER_RECORDING = RECORDING.with_name("train-times.wav")
# Telemetry of ONNX Runtime looks up its server 8.5 s after it was loaded.
LINGER_S = 11
TIMEOUT_S = 300

SERCTL = [sys.executable, "-P", "-m", "serctl"]
# With the small manifest. -P: without the folder of the script in the path.
SERCTL_ON_FEW_CLIPS = [sys.executable, "-P", synthetic_corpora.__file__]
API = f"""\
import time
from serctl import Classifier
assert Classifier(device="cpu").classify({str(RECORDING)!r}).status == "ok"
time.sleep({LINGER_S})
"""
# Prints to standard error how many packets found no route in a namespace without network.
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
    """Tool that detects network use: ``strace``, ``namespace``, or nothing."""
    if _works(*STRACE):
        return "strace"
    return "namespace" if _works(*NAMESPACE) else ""


@dataclass
class Run:
    """A command that ran, and what was observed."""

    done: subprocess.CompletedProcess[str]
    sent: list[str]  # calls that create or use an internet socket
    home: Path
    temporary: Path
    folder: Path  # working folder

    def files(self, folder: Path) -> set[str]:
        """Files below a folder, as relative paths."""
        return {str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir()}


def watch(root: Path, command: list[str], variables: dict[str, str] | None = None) -> Run:
    """Run a command with an empty home, and observe its network calls and files."""
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
        # Local addresses count too: a DNS resolver may listen there.
        sent = [line for line in trace.read_text().splitlines() if "AF_INET" in line]
    elif how == "namespace":
        sent = [line for line in done.stderr.splitlines()[-1:] if line != "lost 0"]
    return Run(done, sent, home, temporary, folder)


@dataclass(frozen=True)
class Case:
    """A command, and the files that it writes in its working folder."""

    command: list[str]
    written: str = ""


RESULTS = (
    "path,status,reason,emotion,confidence,p_angry,p_sad,duration_s,sample_rate_hz,channels,windows\n"
    "a.wav,ok,,sad,0.9,0.1,0.9,1.0,16000,1,1\n"
)
SEGMENTS = (
    "path,channel,speaker,start_s,end_s,speech_s,emotion,confidence,p_angry,p_sad,text\n"
    f"{RECORDING},,,0.0,1.0,1.0,sad,0.9,0.1,0.9,\n"
)
# Folders of inputs, made by `inputs`.
CLIPS, LABELLED, TABLE = "../../clips", "../../labelled", "../../results.csv"
SHARD = "../../shard/s.csv"
SHARD_RECORD = {
    "shard": {"number": 1, "count": 1},
    "emotions": ["angry", "sad"],
    "counts": {"ok": 1},
    "n_found": 1,
    "began": "",
    "ended": "",
}
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
    "clips": Case(
        [*SERCTL, "clips", TABLE, "-o", "moments"], "moments/01-sad-0.90-bakery-order-00m00s.wav"
    ),
    "scan": Case([*SERCTL, "scan", str(RECORDING)], "manifest.csv"),
    "merge": Case([*SERCTL, "merge", SHARD, "-o", "m.csv"], "m.csv m.csv.run.json"),
    "cite": Case([*SERCTL, "cite"]),
    "models": Case([*SERCTL, "models"]),
    "export": Case([*SERCTL, "export", "paper-cnn"], "paper-cnn.onnx"),
    "doctor": Case([*SERCTL, "doctor"]),
    "completion": Case([*SERCTL, "completion", "bash"]),
    "--help": Case([*SERCTL, "--help"]),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Runs of all `CASES`: two at a time, besides the one that waits for telemetry."""
    root = tmp_path_factory.mktemp("privacy")
    synthetic_corpora.write_clips(root / "clips")
    for emotion, recording in (("neutral", RECORDING), ("happy", OTHER_RECORDING)):
        (root / "labelled" / emotion).mkdir(parents=True)
        shutil.copy(recording, root / "labelled" / emotion)
    (root / "results.csv").write_text(RESULTS)
    (root / "shard").mkdir()
    (root / "shard" / "s.csv").write_text(RESULTS)
    (root / "shard" / "s.csv.run.json").write_text(json.dumps(SHARD_RECORD))
    (root / "results.csv.segments.csv").write_text(SEGMENTS)
    with ThreadPoolExecutor(3) as pool:
        running = {
            name: pool.submit(watch, root / name, case.command) for name, case in CASES.items()
        }
    return {name: run.result() for name, run in running.items()}


def test_every_command_is_tested() -> None:
    assert set(cli.commands) <= set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_sent(runs: dict[str, Run], name: str) -> None:
    if not watcher():
        pytest.skip("neither strace nor unshare -rn works here")
    assert runs[name].done.returncode == 0, runs[name].done.stderr
    assert runs[name].sent == []


@pytest.mark.parametrize("name", CASES)
def test_only_output_and_cache_are_written(runs: dict[str, Run], name: str) -> None:
    one = runs[name]
    assert one.done.returncode == 0, one.done.stderr
    cached = one.files(one.home)
    assert {path for path in cached if not path.startswith(".cache/serctl/")} == set()
    assert one.files(one.temporary) == set()
    assert one.files(one.folder) == set(CASES[name].written.split())


@pytest.mark.skipif(not watcher(), reason="neither strace nor unshare -rn works here")
def test_network_use_is_detected(tmp_path: Path) -> None:
    assert watch(tmp_path, [sys.executable, "-c", CANARY]).sent
