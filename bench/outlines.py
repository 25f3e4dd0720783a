"""Outlines beside those that contourpy traces in a field ready in memory: times, points, areas."""

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
from bench import peers
from bench.page import ms, table
from bench.subject import Subject, machine, parser
from bench.timing import Times, taking_turns, turn

TOLERANCES = 1e-3, 1e-4, 1e-5
FINEST = f"tolerance {TOLERANCES[-1]:g}"
SIZES = 1024, 2048
COUNTED = 8192, 32768
"""Pixels a side of the pictures whose pixels inside are counted, by BAND rows."""
BAND = 2048
MOST_OFF = 1e-2
"""How far, as a part of it, an area may be off before the outline is not timed."""

Curve = NDArray[np.float64]
Curves = Sequence[Curve]


@dataclass(frozen=True)
class Way:
    """How outlines are found, and what of all that is timed."""

    name: str
    run: Callable[[], Any]
    """Closed curves float64[n, 2], with the inside to the left."""
    makes_curves: bool = True


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
    return Way(f"`contour`, tolerance {tolerance:g}{with_arcs}", run)


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

    made = Way(f"(the field at {size:,}, compiled)", partial(field_of, tape, size), False)
    return made, Way(f"contourpy, field at {size:,}", run)


def area(curves: Curves, bulges: Curves | None = None) -> float:
    """The area inside closed curves: of holes negative.

    A bulge b is tan(a / 4) for an arc of the angle a: between arc and chord lies the area
    ``r^2 (a - sin a) / 2``, where the chord is ``4 r b / (1 + b^2)``.
    """
    total = 0.0
    for curve in curves:
        x, y = (curve - curve[0]).T
        total += float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2
    for curve, given in zip(curves, bulges or (), strict=False):
        b, chord = given[given != 0], np.linalg.norm(np.diff(curve, axis=0)[given != 0], axis=1)
        angle, radius = 4 * np.arctan(b), chord * (1 + b * b) / (4 * b)
        total += float(np.sum(radius**2 * (angle - np.sin(angle)))) / 2
    return total


def found_in(way: Way) -> Found | None:
    """What one run finds, if that are curves."""
    if not way.makes_curves:
        return None
    curves = way.run()
    inside = area(curves, getattr(curves, "bulges", None))
    return Found(len(curves), sum(map(len, curves)), inside)


def counted(tape: ivm.Tape, size: int) -> float:
    """The area of the pixels inside, of the square from -1 to 1."""
    inside, rows = 0, min(BAND, size)
    for start in range(0, size, rows):
        low = 2 * start / size - 1
        region = ivm.Region(x=(-1, 1), y=(low, low + 2 * rows / size))
        band = ivm.render(tape, size=(size, rows), region=region, grid="center", dtype="float64")
        inside += int(np.count_nonzero(band.pixels))
    return inside * (2 / size) ** 2


def compared(
    ways: Sequence[Way], expected: float, *, rounds: int
) -> tuple[dict[str, Found | None], dict[str, Times]]:
    """What each way finds, and its times. AssertionError if an area is far off."""
    found = {way.name: found_in(way) for way in ways}
    for name, each in found.items():
        off = abs(each.area / expected - 1) if each else 0.0
        assert off <= MOST_OFF, f"{name}: its area is off by {off:.2%}, nothing is timed"
    things = {way.name: partial(turn, way.run, clock=time.process_time) for way in ways}
    return found, taking_turns(things, rounds=rounds)


def page(
    found: dict[str, Found | None], taken: dict[str, Times], expected: dict[int, float]
) -> str:
    """The table in Markdown."""
    finest = next(each.area for name, each in found.items() if each and FINEST in name)
    head = ["what", "ms", "curves", "points", "area", *(f"beside {n:,} pixels" for n in expected)]
    head.append("beside the least tolerance")
    lines = []
    for name, each in found.items():
        if each is None:
            lines.append([name, ms(taken[name].median), *[""] * (len(head) - 2)])
            continue
        differences = [f"{each.area / other - 1:+.1e}" for other in (*expected.values(), finest)]
        counts = [f"{each.curves:,}", f"{each.points:,}", f"{each.area:.7f}"]
        lines.append([name, ms(taken[name].median), *counts, *differences])
    return table(head, lines)


def section(shape: Subject, table: str) -> str:
    """The section of the page."""
    return f"""\
{peers.OUTLINES_HEAD}
Outlines of {shape},
by `contour`, and by contourpy from a field of values that is ready in memory; one thread each, in
turn in one run, in seconds that the process was at work; warm, medians. *The field* are the values
at all points of a square grid by an `Evaluator` in float64. Areas are compared with the pixels
inside pictures with {" and ".join(f"{size:,}" for size in COUNTED)} pixels a side in float64, and
with that of the curves at the least tolerance.

{table}
Measured by `python -m bench outlines --page` on
{machine()}.
"""


def main(words: list[str]) -> int:
    """Print the section, or write it to the page; 2 without contourpy."""
    options = parser("outlines", __doc__, rounds=5)
    options.add_argument("--page", action="store_true", help="write docs/performance.md")
    chosen = options.parse_args(words)
    if find_spec("contourpy") is None:
        print("contourpy is not there: pip install '.[bench]'", file=sys.stderr)
        return 2
    shape: Subject = chosen.file
    expected = {size: counted(shape.tape, size) for size in COUNTED}
    ways = [ours(shape.tape, tolerance) for tolerance in TOLERANCES]
    ways.append(ours(shape.tape, TOLERANCES[-1], arcs=True))
    for size in SIZES:
        ways += theirs(shape.tape, size)
    found, taken = compared(ways, expected[COUNTED[-1]], rounds=chosen.rounds)
    text = section(shape, page(found, taken, expected))
    if chosen.page:
        peers.write(peers.PAGE, {"outlines": text})
    else:
        print(text, end="")
    return 0
