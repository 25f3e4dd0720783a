"""What other processes took of the machine while something was measured."""

from __future__ import annotations

import time

import psutil


class Neighbours:
    """Looks at all processes when made, and again when asked."""

    def __init__(self) -> None:
        self._start, self._before = time.perf_counter(), _seconds()

    def cpus(self) -> float:
        """CPUs that other processes kept busy since, on average; those that ended are not seen."""
        now, own = _seconds(), psutil.Process()
        ours = {own.pid, *(child.pid for child in own.children(recursive=True))}
        theirs = (
            seconds - self._before.get(pid, 0.0) for pid, seconds in now.items() if pid not in ours
        )
        return sum(theirs) / (time.perf_counter() - self._start)


def _seconds() -> dict[int, float]:
    """CPU seconds of every process so far."""
    times = {p.pid: p.info["cpu_times"] for p in psutil.process_iter(["cpu_times"])}
    return {pid: found.user + found.system for pid, found in times.items() if found is not None}
