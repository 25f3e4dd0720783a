"""Times of every engine at each size, and how many times faster than dense float64 it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

import intervalvm as ivm
from bench.subject import Subject, cpus, machine, parser
from bench.timing import in_turns
from intervalvm.raster.grid import coordinates
from intervalvm.raster.stats import milliseconds, text_table

NAIVE_MOST, NUMPY_MOST = 256, 512
"""Sizes up to which the naive engine fits into memory, and the reference walk is worth a wait."""


class Bitmap(Protocol):
    """Draws a tape at a size, with values of its variables."""

    def __call__(
        self, tape: ivm.Tape, size: int, variables: Mapping[str, float] | None = None, /
    ) -> NDArray[np.uint8]: ...


@dataclass(frozen=True)
class Way:
    """A row of the table: what it is called, what runs, in which dtype, and up to which size."""

    name: str
    bitmap: Bitmap
    dtype: str = "float32"
    most: int | None = None

    def takes(self, size: int) -> bool:
        return self.most is None or size <= self.most


def rendering(**options: Any) -> Bitmap:
    def bitmap(
        tape: ivm.Tape, size: int, variables: Mapping[str, float] | None = None, /
    ) -> NDArray[np.uint8]:
        return ivm.render(tape, size=size, variables=variables, **options).pixels

    return bitmap


def broadcasting(dtype: str) -> Bitmap:
    """Dense, with x as one row and y as one column: what reads only one of them stays small.

    It computes the same bits and is the quickest that NumPy does with every clause everywhere.
    """

    def bitmap(
        tape: ivm.Tape, size: int, variables: Mapping[str, float] | None = None, /
    ) -> NDArray[np.uint8]:
        x, y = coordinates(None, size, size, "linspace", dtype)
        values = ivm.evaluate(tape, x[None, :], y[:, None], dtype=dtype, variables=variables)
        inside = values < 0
        return np.where(inside, np.uint8(255), np.uint8(0))

    return bitmap


def ways(dense_most: int) -> list[Way]:
    """Every row, dense float64 first; what is compared pixel by pixel goes up to ``dense_most``."""
    rows = [
        Way(f"dense numpy {dtype}", rendering(engine="dense", dtype=dtype), dtype, dense_most)
        for dtype in ("float64", "float32")
    ]
    rows += [
        Way(f"dense numpy {dtype}, x and y broadcast", broadcasting(dtype), dtype, dense_most)
        for dtype in ("float64", "float32")
    ]
    rows.append(Way("naive numpy float32", rendering(engine="naive"), most=NAIVE_MOST))
    rows.append(Way("pruned numpy float32", rendering(backend="numpy"), most=NUMPY_MOST))
    wide = rendering(threads=1, dtype="float64")
    rows.append(Way("pruned numba float64, 1 thread", wide, "float64", dense_most))
    for threads in sorted({1, cpus()}):
        plural = "" if threads == 1 else "s"
        name = f"pruned numba float32, {threads} thread{plural}"
        rows.append(Way(name, rendering(threads=threads)))
    return rows


# --- the table ------------------------------------------------------------------------------------

NOTE = """\
ratio: how many times faster than dense float64 on whole arrays, in the same run. Each image was
compared first: with the dense one of its dtype, or where that is not made by its pixels inside."""


def table(shape: Subject, sizes: Sequence[int], *, dense_most: int, rounds: int) -> Iterator[str]:
    """The table, a block of lines a size."""
    for size in sizes:
        rows = [way for way in ways(dense_most) if way.takes(size)]
        _check(shape, rows, size)
        runs = {way.name: partial(way.bitmap, shape.tape, size) for way in rows}
        times = in_turns(runs, rounds=rounds)
        # The first row is dense float64, if it takes part at all.
        reference = times[rows[0].name].median if rows[0].most else None
        lines = [(f"{size}x{size}", "median", "runs", "ratio")]
        for name, taken in times.items():
            ratio = "" if reference is None else _ratio(reference / taken.median)
            lines.append((name, milliseconds(taken.median), str(taken.runs), ratio))
        yield text_table(lines, left=1) + "\n"
    yield NOTE


def _check(shape: Subject, rows: Sequence[Way], size: int) -> None:
    """Run each row once, which also warms it up, and assert that its image is right."""
    right: dict[str, NDArray[Any]] = {}
    for way in rows:
        pixels = way.bitmap(shape.tape, size)
        expected = right.setdefault(way.dtype, pixels)
        assert np.array_equal(pixels, expected), f"{way.name} at {size}: not the dense image"
    shape.check(right["float32"])


def _ratio(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"


def main(words: list[str]) -> int:
    """Print the table, a block a size."""
    options = parser("engines", __doc__, rounds=5)
    options.add_argument(
        "--sizes", type=int, nargs="+", default=[256, 512, 1024, 2048, 4096], help="pixels a side"
    )
    options.add_argument(
        "--dense-most", type=int, default=1024, help="the largest size to evaluate densely (1024)"
    )
    chosen = options.parse_args(words)
    print(f"{machine()}\n{chosen.file}\n", flush=True)
    most, rounds = chosen.dense_most, chosen.rounds
    for block in table(chosen.file, chosen.sizes, dense_most=most, rounds=rounds):
        print(block, flush=True)
    return 0
