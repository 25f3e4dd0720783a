"""How long a picture of each size takes, by every engine worth a row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

import intervalvm as ivm
from bench.engines import Bitmap, broadcasting, rendering
from bench.page import ms, table, times
from bench.subject import Subject, cpus
from bench.timing import Times, Turn, taking_turns, turn
from bench.versions import Version
from intervalvm.raster.stats import Stats

SIZES = (256, 512, 1024, 2048, 4096, 8192, 16384)
DENSE_MOST = 1024
COUNTED_MOST = 4096
"""Where nobody has counted the pixels of a larger picture, two engines at least must agree."""
DENSE, BROADCAST, SINGLE = (
    "dense float64",
    "dense float64, x and y broadcast",
    "dense float32, x and y broadcast",
)
FILL_NEW, FILL_OLD = "NumPy fill of a new image", "NumPy fill of an old image"


def pruned(threads: int, *, dtype: str = "float32", before: bool = False) -> str:
    """The name of a row."""
    version = "0.1.0" if before else f"pruned {dtype}"
    return f"{version}, {threads} thread{'s' if threads > 1 else ''}"


@dataclass(frozen=True)
class Sizes:
    """Times by size and row, and the statistics of each size."""

    taken: dict[int, dict[str, Times]]
    stats: dict[int, Stats]

    def seconds(self, size: int, name: str) -> float:
        return self.taken[size][name].median

    def ratio(self, size: int, name: str, other: str) -> float:
        return self.seconds(size, name) / self.seconds(size, other)


def measure(shape: Subject, before: Path | None, *, rounds: int) -> Sizes:
    """Check, then time, every row at every size."""
    found = Sizes({}, {})
    with Version(before, shape.path) if before else nullcontext() as old:
        for size in SIZES:
            found.stats[size] = ivm.render(shape.tape, size=size, threads=1).stats
            things = dict(_turns(shape, old, size))
            found.taken[size] = taking_turns(things, rounds=rounds if size <= 4096 else 3)
    return found


def _turns(shape: Subject, old: Version | None, size: int) -> Iterator[tuple[str, Turn]]:
    ours: dict[str, Bitmap] = {}
    if size <= DENSE_MOST:
        ours[DENSE] = rendering(engine="dense", dtype="float64")
        ours[BROADCAST], ours[SINGLE] = broadcasting("float64"), broadcasting("float32")
        ours[pruned(1, dtype="float64")] = rendering(threads=1, dtype="float64")
    every = sorted({1, cpus()})
    for threads in every:
        ours[pruned(threads)] = rendering(threads=threads)
    right = rendering(threads=1)(shape.tape, size)
    if size <= COUNTED_MOST:
        shape.check(right)
    inside = int(np.count_nonzero(right))
    for name, make in ours.items():
        pixels = make(shape.tape, size)
        if "float32" in name:
            assert np.array_equal(pixels, right), f"{name} at {size}: another image"
        yield name, partial(turn, partial(make, shape.tape, size))
    for threads in every if old else ():
        assert old is not None
        assert old.frame(size=size, threads=threads).inside == inside
        yield pruned(threads, before=True), partial(_other, old, size, threads)
    if size == SIZES[-1]:
        buffer = np.zeros((size, size), np.uint8)
        yield FILL_NEW, partial(turn, lambda: np.full((size, size), 255, np.uint8))
        yield FILL_OLD, partial(turn, lambda: buffer.fill(255))


def _other(old: Version, size: int, threads: int) -> list[float]:
    return old.frame(size=size, threads=threads).seconds


def by_size(found: Sizes) -> str:
    """The table of times and ratios."""
    rows = []
    for size, taken in found.taken.items():
        for name, seconds in taken.items():
            if name in (FILL_NEW, FILL_OLD):
                continue
            threads = name.split(", ")[-1].split()[0] if "thread" in name else "1"
            old = pruned(int(threads), before=True)
            against = [
                times(taken[other].median / seconds.median) if other in taken else ""
                for other in (DENSE, BROADCAST)
            ]
            if name.startswith("pruned float32") and old in taken:
                against.append(times(taken[old].median / seconds.median))
            else:
                against.append("")
            rows.append((f"{size:,}", name, ms(seconds.median), *against))
    head = ("size", "engine", "ms", "dense / it", "broadcast / it", "0.1.0 / it")
    return table(head, rows)


def growth(found: Sizes) -> str:
    """How work grows with size."""
    rows, one = [], pruned(1)
    for size, stats in found.stats.items():
        last = stats.levels[-1]
        rows.append(
            (
                f"{size:,}",
                times(found.seconds(size, one) / found.seconds(1024, one)),
                f"{(size / 1024) ** 2:g}",
                str(stats.depth),
                f"{sum(level.regions for level in stats.levels):,}",
                f"{last.ambiguous:,}",
                f"{last.mean_clauses:.1f}",
                f"{last.ambiguous * last.mean_clauses:,.0f}",
                f"{stats.pixels['evaluated'] / stats.pixels['total']:.1%}",
            )
        )
    head = "size,time / that of 1024,pixels / those of 1024,depth,regions,leaves,mean clauses"
    return table((*head.split(","), "records in leaves", "pixels evaluated"), rows)
