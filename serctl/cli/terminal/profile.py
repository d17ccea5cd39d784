"""``serctl classify --profile``: time spent in each stage."""

import time
from collections.abc import Mapping


class Stopwatch:
    """Seconds of the consecutive parts of a command, from the creation of this object."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def end(self, part: str) -> None:
        """End a part."""
        now = time.perf_counter()
        self.seconds[part] = now - self._last
        self._last = now


def print_profile(
    stopwatch: Stopwatch, seconds_by_stage: Mapping[str, float], n_workers: int, stderr: bool
) -> None:
    """Print the seconds of each part, and of each stage of classifying.

    Parameters
    ----------
    stopwatch : Stopwatch
        With the parts of the command.
    seconds_by_stage : mapping of str to float
        Seconds by stage, summed over the threads of all workers.
    n_workers : int
        Number of worker processes.
    stderr : bool
        Whether to print to standard error instead of standard output.
    """
    from serctl.cli.terminal.tables import plain_console, print_table

    console = plain_console(stderr)
    whole_s = sum(stopwatch.seconds.values())
    parts = [(part, f"{s:.2f}", f"{s / whole_s:.0%}") for part, s in stopwatch.seconds.items()]
    total = ("all", f"{whole_s:.2f}", "100%")
    print_table(console, "Time spent", ("Part", "Seconds", "Share"), parts, [total])
    if not seconds_by_stage:
        return
    working_s = n_workers * stopwatch.seconds.get("classify", 0.0)
    stages = dict(seconds_by_stage) | {
        "waiting and other": max(0.0, working_s - sum(seconds_by_stage.values()))
    }
    rows = [(stage, f"{s:.2f}", f"{s / working_s:.0%}") for stage, s in stages.items()]
    title = f"Classifying, summed over {n_workers} worker{'s' if n_workers > 1 else ''}"
    print_table(console, title, ("Stage", "Seconds", "Share"), rows)
