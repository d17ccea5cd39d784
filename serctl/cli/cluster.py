"""``serctl classify --engine ray``: the shards of a run, each as a task of a Ray cluster.

A task is ``serctl classify --shard``, with its journal and its worker processes, so that a recording
that crashes its decoder costs a row and not a node. Tasks get the paths of recordings, never decoded
audio. A shard that is finished is not done again: neither when a node is lost, and Ray starts its tasks
on another one, nor when this process is started again with ``--resume``.

All nodes need serctl, and the recordings and the output's folder under the same paths.
"""

import contextlib
import io
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from typing import Any

import click
from click.core import ParameterSource

from serctl.cli import options
from serctl.cli.classify_options import OutputOptions, WorkOptions, with_sizes
from serctl.cli.terminal.classified import print_skipped
from serctl.cli.watch_options import Watch
from serctl.errors import MissingPackageError, RunError, UsageError
from serctl.files.manifest import Scanned, manifest_bytes
from serctl.files.outputs import (
    STANDARD_OUTPUT,
    atomic_write,
    check_output,
    extension_of,
    lock_outputs,
)
from serctl.results.schema import EXTENSIONS, JOURNAL
from serctl.results.writer import run_path
from serctl.text import printable

SHARDS_PER_TASK = 4  # that run at once, so that none waits long for the last one
MOST_TRIES = 5  # of a shard whose node is lost
LOCKED_S = 60.0  # for the processes of a lost node to end and give up their locks
WAIT_S = 1.0
MANIFEST, SETTINGS = "manifest.csv", "shards.json"

# Parameters of the command that are for the whole run, and not for a shard of it.
OF_THE_RUN = frozenset(
    "paths files_from zero include exclude follow_symlinks all_files dry_run output overwrite resume "
    "retry_failed update keep_missing quiet progress log_file log_level profile workers shard engine "
    "address n_shards".split()
)
REFUSED = frozenset(
    "retry_failed update shard segments_output windows_output segment_formats segments_dir voices "
    "same_room dialect profile progress".split()
)


def classify_on_ray(
    paths: tuple[str, ...],
    selection: options.SelectionOptions,
    to: OutputOptions,
    work: WorkOptions,
    watch: Watch,
) -> int:
    """Classify recordings on a cluster, and write one results file; the exit status.

    Parameters
    ----------
    paths, selection
        Which recordings.
    to : OutputOptions
        Where results go.
    work : WorkOptions
        With the cluster's address and the number of shards.
    watch : Watch
        What is printed and logged.

    Raises
    ------
    UsageError
        If options do not fit, or results or shards of an earlier run exist.
    RunError
        If the cluster cannot be reached, or a shard cannot be classified.
    """
    options.refuse_unused(*REFUSED, because="has no effect with --engine ray")
    if to.output == STANDARD_OUTPUT:
        raise UsageError("-: --engine ray needs a file as --output.")
    from serctl.audio.finding.skipped import Skipped
    from serctl.results.shards.merging import merge_shards

    skipped = Skipped()
    found, unlisted = selection.find(paths, skipped)
    recordings = with_sizes(found, selection.sizes)
    folder = f"{to.output}.shards"
    check_output(to.output, EXTENSIONS, to.overwrite)
    with lock_outputs(to.output, run_path(to.output)), _cluster(work) as (ray, n_at_once):
        n_shards = work.n_shards or min(SHARDS_PER_TASK * n_at_once, len(recordings))
        commands = _commands(folder, recordings, n_shards, to, work.workers or 1)
        _run_tasks(ray, commands, work.workers or 1, watch.quiet)
    merged = merge_shards([_output_of(command) for command in commands], to.output, to.overwrite)
    shutil.rmtree(folder)
    statuses = {status for shard in merged for status, n in shard.record["counts"].items() if n}
    text = f"{len(recordings)} recordings in {len(merged)} shards, written to {to.output}."
    watch.info(text)
    if not watch.quiet:
        click.echo(printable(text))
        print_skipped(skipped, stderr=False)
    options.warn_unlisted(unlisted)
    return 1 if unlisted or statuses & {"unreadable", "failed"} else 0


def classify_shard(arguments: Sequence[str], folder: str) -> None:
    """Classify one shard, in a process of a node.

    Parameters
    ----------
    arguments : sequence of str
        Of ``serctl``; the last one is the results file.
    folder : str
        The current folder of the run, in which relative paths begin.

    Raises
    ------
    RuntimeError
        With the message, if it fails.
    """
    from serctl.cli import run

    output = arguments[-1]
    until_s = time.monotonic() + LOCKED_S
    os.chdir(folder)
    while not _is_finished(output):
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            status = run(arguments)
        if status in (0, 1):
            return
        if "another run is writing to it" not in said.getvalue() or time.monotonic() > until_s:
            raise RuntimeError(said.getvalue().strip())
        time.sleep(WAIT_S)


def _is_finished(output: str) -> bool:
    return (
        os.path.exists(output)
        and os.path.exists(run_path(output))
        and not os.path.exists(output + JOURNAL)
    )


def _output_of(command: Sequence[str]) -> str:
    return command[-1]


def _commands(
    folder: str, recordings: Sequence[Scanned], n_shards: int, to: OutputOptions, n_workers: int
) -> list[list[str]]:
    """Arguments of every shard; the manifest and what the shards have in common are written."""
    manifest, settings = os.path.join(folder, MANIFEST), os.path.join(folder, SETTINGS)
    common = _arguments()
    if os.path.isdir(folder) and to.resume:
        with open(settings, encoding="utf-8") as file:
            before = json.load(file)
        with open(manifest, "rb") as file:
            if file.read() != manifest_bytes(recordings) or before["arguments"] != common:
                raise UsageError(
                    f"{folder}: has shards of a run with other recordings or settings. Start again "
                    "with --overwrite, or choose another output."
                )
        n_shards = before["n_shards"]
    else:
        if os.path.isdir(folder):
            if not to.overwrite:
                raise UsageError(
                    f"{folder}: has shards of a run that did not finish. Continue it with --resume, "
                    "or start again with --overwrite, or choose another output."
                )
            shutil.rmtree(folder)
        os.mkdir(folder)
        with atomic_write(manifest) as partial, open(partial, "wb") as file:
            file.write(manifest_bytes(recordings))
        with atomic_write(settings) as partial, open(partial, "w", encoding="utf-8") as text:
            json.dump({"n_shards": n_shards, "arguments": common}, text)
    extension = extension_of(to.output, EXTENSIONS)
    kept = ["--workers", str(n_workers), "--resume", "--quiet"]
    commands = []
    for number in range(1, n_shards + 1):
        shard = ["--files-from", manifest, "--shard", f"{number}/{n_shards}"]
        output = os.path.join(folder, f"{number}-of-{n_shards}{extension}")
        commands.append(["classify", *shard, *common, *kept, "--output", output])
    return commands


def _arguments() -> list[str]:
    """Options of the running command that every shard gets, as they stand on the command line."""
    context = click.get_current_context()
    arguments: list[str] = []
    for option in context.command.params:
        name = option.name or ""
        is_given = context.get_parameter_source(name) == ParameterSource.COMMANDLINE
        if isinstance(option, click.Option) and is_given and name not in OF_THE_RUN:
            value = [] if option.is_flag else [str(context.params[name])]
            arguments += [option.opts[-1], *value]
    return arguments


@contextlib.contextmanager
def _cluster(work: WorkOptions) -> Iterator[tuple[Any, int]]:
    """Connect to the cluster, or start a local one; ray, and how many shards can run at once."""
    # Before Ray is loaded. On a cluster of the user's, her own settings hold.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Otherwise Ray warns that tasks without a GPU will be treated otherwise in later versions.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if work.address is None:
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    try:
        import ray
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            "--engine ray needs ray, which is not installed. Install it: pip install ray"
        ) from error
    local: dict[str, Any] = {"include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    try:
        ray.init(
            address=work.address or "local",
            log_to_driver=False,
            logging_level="warning",
            **(local if work.address is None else {}),
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise RunError(f"{work.address or 'Ray'}: no cluster can be reached ({error}).") from error
    try:
        n_needed = work.workers or 1
        free = [node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]]
        n_at_once = sum(int(n // n_needed) for n in free)
        if not n_at_once:
            raise RunError(
                f"--workers {n_needed}: no node of the cluster has so many CPUs (the largest has "
                f"{max(free, default=0):g}), so that no task would ever start."
            )
        yield ray, n_at_once
    finally:
        ray.shutdown()


def _run_tasks(ray: Any, commands: Sequence[Sequence[str]], n_workers: int, quiet: bool) -> None:
    """Run all shards that are not finished; RunError for the first that fails."""
    from serctl.progress import progress

    task = ray.remote(num_cpus=n_workers, max_retries=MOST_TRIES, scheduling_strategy="SPREAD")(
        classify_shard
    )
    here = os.getcwd()
    left = [command for command in commands if not _is_finished(_output_of(command))]
    of_task = {task.remote(command, here): command for command in left}

    def finished() -> Iterator[None]:
        waiting = list(of_task)
        while waiting:
            done, waiting = ray.wait(waiting)
            for one in done:
                try:
                    ray.get(one)
                except ray.exceptions.RayError as error:
                    cause = getattr(error, "cause", None) or error
                    raise RunError(
                        f"{_output_of(of_task[one])}: this shard failed: {cause} Other shards are "
                        "kept; continue with --resume."
                    ) from error
                yield None

    n_before = len(commands) - len(left)
    if n_before and not quiet:
        click.echo(f"Shards finished before: {n_before} of {len(commands)}.", err=True)
    for _ in finished() if quiet else progress(finished(), len(left), "Classifying", "shard"):
        pass
