"""Outlines beside contourpy's, which traces a field that is ready in memory: times, points, areas.

One thread each, in seconds that the process was at work. Areas are compared with the pixels inside
a picture of 8192 pixels a side, in float64.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

import intervalvm as ivm
from bench.page import ms, table
from bench.subject import Subject, machine, parser
from bench.timing import Times, taking_turns, turn

TOLERANCES = 1e-3, 1e-4, 1e-5
SIZES = 1024, 2048
COUNTED = 8192
MOST_OFF = 2e-3
"""How far, as a part of it, an area may be off before the outline is not timed."""

Curve = NDArray[np.float64]
Curves = Sequence[Curve]


@dataclass(frozen=True)
class Way:
    """How outlines are found, and what of all that is timed."""

    name: str
    run: Callable[[], Any]
    curves: Callable[[Any], Curves]
    """Closed curves float64[n, 2] of what was found, with the inside to the left."""


@dataclass(frozen=True)
class Found:
    """Outlines found in one way."""

    curves: int
    points: int
    area: float


def ours(tape: ivm.Tape, tolerance: float, *, arcs: bool = False) -> Way:
    """By this library, in the square of the Prospero Challenge."""
    run = partial(
        ivm.contour,
        tape,
        region=ivm.Region.square(),
        tolerance=tolerance,
        arcs=arcs,
        threads=1,
    )
    with_arcs = ", arcs" if arcs else ""
    return Way(f"`contour`, tolerance {tolerance:g}{with_arcs}", run, list)


def field_of(tape: ivm.Tape, size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The coordinates along a side, and the values [size, size] there."""
    sides = np.linspace(-1, 1, size)
    evaluator = ivm.Evaluator(tape, dtype="float64", inputs=("x", "y"))
    values: NDArray[np.float64] = evaluator.values(sides[None, :], sides[:, None])
    return sides, values


def theirs(tape: ivm.Tape, size: int) -> tuple[Way, Way]:
    """By contourpy on a field, and the making of that field."""
    contourpy = import_module("contourpy")  # which is not needed otherwise
    sides, values = field_of(tape, size)

    def run() -> Curves:
        lines: Curves = contourpy.contour_generator(sides, sides, -values).lines(0.0)
        return lines

    made = Way(f"(the field at {size:,}, compiled)", partial(field_of, tape, size), lambda _: [])
    return made, Way(f"contourpy, field at {size:,}", run, list)


def area(curves: Curves) -> float:
    """The area inside closed curves: of holes negative."""
    total = 0.0
    for curve in curves:
        x, y = (curve - curve[0]).T
        total += float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2
    return total


def found_in(way: Way) -> Found:
    """What one run finds."""
    curves = way.curves(way.run())
    return Found(len(curves), sum(map(len, curves)), area(curves))


def counted(tape: ivm.Tape, size: int = COUNTED) -> float:
    """The area of the pixels inside, of the square from -1 to 1."""
    image = ivm.render(tape, size=size, grid="center", dtype="float64")
    return float(np.count_nonzero(image.pixels)) * (2 / size) ** 2


def compared(
    ways: Sequence[Way], expected: float, *, rounds: int
) -> tuple[dict[str, Found], dict[str, Times]]:
    """What each way finds, and its times. AssertionError if an area is far off."""
    found = {way.name: found_in(way) for way in ways}
    for name, each in found.items():
        off = abs(each.area / expected - 1) if each.curves else 0.0
        assert off <= MOST_OFF, f"{name}: its area is off by {off:.2%}, nothing is timed"
    things = {way.name: partial(turn, way.run, clock=time.process_time) for way in ways}
    return found, taking_turns(things, rounds=rounds)


def page(found: dict[str, Found], taken: dict[str, Times], expected: float) -> str:
    """The table in Markdown."""
    finest = [each.area for name, each in found.items() if name.startswith("`contour`")][-1]
    head = ["what", "ms", "curves", "points", "area", f"less the count at {COUNTED:,}"]
    head += ["less that at the least tolerance"]
    lines = []
    for name, each in found.items():
        if not each.curves:
            lines.append([name, ms(taken[name].median), *[""] * 5])
            continue
        differences = [f"{each.area / other - 1:+.1e}" for other in (expected, finest)]
        counts = [f"{each.curves:,}", f"{each.points:,}", f"{each.area:.7f}"]
        lines.append([name, ms(taken[name].median), *counts, *differences])
    return table(head, lines)


def main(words: list[str]) -> int:
    """Print the table; 2 without contourpy."""
    chosen = parser("outlines", __doc__, rounds=5).parse_args(words)
    if find_spec("contourpy") is None:
        print("contourpy is not there: pip install 'intervalvm[bench]'", file=sys.stderr)
        return 2
    shape: Subject = chosen.file
    expected = counted(shape.tape)
    ways = [ours(shape.tape, tolerance) for tolerance in TOLERANCES]
    ways.append(ours(shape.tape, TOLERANCES[-1], arcs=True))
    for size in SIZES:
        ways += theirs(shape.tape, size)
    found, taken = compared(ways, expected, rounds=chosen.rounds)
    print(f"Outlines of {shape}:\n\n{page(found, taken, expected)}\n{machine()}")
    return 0
