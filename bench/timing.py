"""Times that may be compared: taken in turns, so that a busy moment of the machine hits all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import median

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


def turn(run: Callable[[], object], *, most: int = MOST_RUNS) -> list[float]:
    """Run for about ``TURN_SECONDS``, at least once."""
    taken: list[float] = []
    while sum(taken) < TURN_SECONDS and len(taken) < most:
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
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
