"""Times that may be compared: taken in turns, so that a busy moment of the machine hits all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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


def in_turns(things: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, Times]:
    """Time each of ``things``, which are warm already.

    Each takes its turn in every round and runs for about ``TURN_SECONDS``, at least once.
    """
    taken: dict[str, list[float]] = {name: [] for name in things}
    for _ in range(rounds):
        for name, run in things.items():
            turn: list[float] = []
            while sum(turn) < TURN_SECONDS and len(turn) < MOST_RUNS:
                start = time.perf_counter()
                run()
                turn.append(time.perf_counter() - start)
            taken[name] += turn
    return {name: Times(seconds) for name, seconds in taken.items()}
