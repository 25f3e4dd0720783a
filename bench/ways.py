"""The ways to get one picture: engines, back ends, dtypes and numbers of threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import intervalvm as ivm
from bench.subject import cpus
from intervalvm.raster.grid import coordinates

NAIVE_MOST, NUMPY_MOST = 256, 512
"""Sizes up to which the naive engine fits into memory, and the reference walk is worth a wait."""

Bitmap = Callable[[ivm.Tape, int], NDArray[np.uint8]]


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
    def bitmap(tape: ivm.Tape, size: int) -> NDArray[np.uint8]:
        return ivm.render(tape, size=size, **options).pixels

    return bitmap


def broadcasting(dtype: str) -> Bitmap:
    """Dense, with x as one row and y as one column: what reads only one of them stays small.

    It computes the same bits and is the quickest that NumPy does with every clause everywhere.
    """

    def bitmap(tape: ivm.Tape, size: int) -> NDArray[np.uint8]:
        x, y = coordinates(None, size, size, "linspace", dtype)
        inside = ivm.evaluate(tape, x[None, :], y[:, None], dtype=dtype) < 0
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
