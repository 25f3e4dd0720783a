"""What a frame takes after a variable changed: each has a value that no frame had before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count

import numpy as np

import intervalvm as ivm
from bench.engines import Bitmap, broadcasting, rendering
from bench.page import ms, table, times
from bench.performance.sizes import BROADCAST, DENSE
from bench.subject import DENSE_MEMORY, Subject, cpus
from bench.timing import Times, in_turns

SIZE, STEP = 1024, 2.0**-20
"""Pixels a side, and between one value and the next: all of them are floats of both kinds."""


def pruned(threads: int, value: str = "new") -> str:
    """The name of a row."""
    return f"pruned float32, {threads} thread{'s' if threads > 1 else ''}, {value} value"


@dataclass(frozen=True)
class Changing:
    """Times by row."""

    taken: dict[str, Times]

    def seconds(self, name: str) -> float:
        return self.taken[name].median

    def ratio(self, name: str, other: str) -> float:
        return self.seconds(name) / self.seconds(other)

    def text(self) -> str:
        """The table of times and ratios."""
        rows = [
            (name, ms(taken.median), times(self.ratio(DENSE, name)))
            for name, taken in self.taken.items()
        ]
        return table(("engine", "ms", "dense / it"), rows)


def grown(shape: Subject) -> ivm.Tape:
    """The tape of a shape that grows with a variable: its value less ``grow``."""
    text = str(shape.tape).rstrip()
    result = text.rpartition("\n")[2].split()[0]
    return ivm.parse(f"{text}\n_grow var-grow\n_grown sub {result} _grow\n")


def measure(shape: Subject, *, rounds: int, size: int = SIZE) -> Changing:
    """Check one value by each row, then time all."""
    tape, values = grown(shape), (STEP * i for i in count(1))

    def changing(bitmap: Bitmap) -> Callable[[], object]:
        return lambda: bitmap(tape, size, {"grow": next(values)})

    dense = rendering(engine="dense", dtype="float64")
    ways = {DENSE: dense, BROADCAST: broadcasting("float64")}
    every = {pruned(threads): rendering(threads=threads) for threads in sorted({1, cpus()})}
    kept = {"grow": 0.0}
    still = partial(rendering(threads=1), tape, size, kept)
    assert np.array_equal(still(), ivm.render(shape.tape, size=size, threads=1).pixels)
    right = rendering(engine="dense", max_memory=DENSE_MEMORY)(tape, size, {"grow": STEP})
    for name, bitmap in every.items():
        assert np.array_equal(bitmap(tape, size, {"grow": STEP}), right), name
    runs = {name: changing(bitmap) for name, bitmap in (ways | every).items()}
    return Changing(in_turns(runs | {pruned(1, "the same"): still}, rounds=rounds))
