"""Times that may be compared: taken in turns, so that a busy moment of the machine hits all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import median

import psutil

TURN_SECONDS = 0.25
MOST_RUNS = 100


@dataclass(frozen=True)
class Times:
    """How long each run of one thing took, in seconds."""

    seconds: list[float]

    @property
    def median(self) -> float:
        return median(self.seconds)

    @property
    def runs(self) -> int:
        return len(self.seconds)


Turn = Callable[[], list[float]]
"""Runs a thing for a while; returns what each run took."""


def turn(
    run: Callable[[], object],
    *,
    most: int = MOST_RUNS,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """Run for about ``TURN_SECONDS``, at least once."""
    taken: list[float] = []
    while sum(taken) < TURN_SECONDS and len(taken) < most:
        start = clock()
        run()
        taken.append(clock() - start)
    return taken


def taking_turns(things: Mapping[str, Turn], *, rounds: int) -> dict[str, Times]:
    """Each of ``things`` takes its turn in every round."""
    taken: dict[str, list[float]] = {name: [] for name in things}
    for _ in range(rounds):
        for name, take in things.items():
            taken[name] += take()
    return {name: Times(seconds) for name, seconds in taken.items()}


def in_turns(
    things: Mapping[str, Callable[[], object]], *, rounds: int, most: int = MOST_RUNS
) -> dict[str, Times]:
    """Time each of ``things``, which are warm already: a turn each in every round."""
    return taking_turns(
        {name: partial(turn, run, most=most) for name, run in things.items()}, rounds=rounds
    )


class Neighbours:
    """What other processes took of the machine while something was measured.

    Looks at all processes when made, and again when asked.
    """

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
