"""The table of times and ratios."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.subject import Subject
from bench.timing import in_turns
from bench.ways import Way, ways
from intervalvm.raster.image import aligned, milliseconds

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
        yield aligned(lines, left=1) + "\n"
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
