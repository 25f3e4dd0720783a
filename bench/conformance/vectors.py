"""Boxes and what each operation makes of them in real numbers: of the standard, and of the rest.

Those of IEEE 1788 are the ITF1788 test cases, read from ``../shared/itf1788``. Of the operations
that the standard has not, or not as we have them, a fixed grid is taken: every value between two
ends is computed exactly at all points of the grid.
"""

from __future__ import annotations

import itertools
from fractions import Fraction
from functools import cache
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray
from support import itl, reals
from support.itl import Case, Operand

from bench.subject import TOP
from intervalvm.ops import OPS

FOLDER = TOP.parent / "shared" / "itf1788"
NAMES = {
    "pos": "copy", "neg": "neg", "abs": "abs", "sqr": "square", "sqrt": "sqrt", "recip": "recip",
    "floor": "floor", "ceil": "ceil", "roundTiesToAway": "round", "sin": "sin", "cos": "cos",
    "tan": "tan", "asin": "asin", "acos": "acos", "atan": "atan", "exp": "exp", "log": "ln",
    "add": "add", "sub": "sub", "mul": "mul", "div": "div", "min": "min", "max": "max",
    "atan2": "atan2", "sign": "compare",
}  # fmt: skip
"""Our name of each operation of the standard that we have. The sign is a comparison with 0."""
OUTSIDE = ("round", "not", "rand", "mod", "compare", "and", "or", "mix")
"""Operations that the standard has not, or not so."""
HASHES = ("rand", "mix")
"""Of which values between two points tell nothing: only boxes of one point have a known result."""

Vectors = dict[str, list[Case]]
"""The cases by our name of the operation."""


def of_the_standard() -> Vectors:
    """The ITF1788 cases in the order of ``NAMES``. FileNotFoundError if they are not there."""
    if not FOLDER.is_dir():
        raise FileNotFoundError(f"the test cases are not there: {FOLDER}")
    found: Vectors = {op: [] for op in NAMES.values()}
    for path in sorted(FOLDER.glob("*.itl")):
        for case in itl.cases(path.read_text(encoding="utf-8"), NAMES):
            found[NAMES[case.op]].append(case)
    return found


# --- the grid -----------------------------------------------------------------------------------

HALF = np.float16
TINY, LARGEST = float(np.finfo(HALF).smallest_subnormal), float(np.finfo(HALF).max)
ENDS = (0.0, TINY, 0.25, 0.5, 1.0, 1.0 + 2.0**-10, 1.5, 2.5, 1024.5, LARGEST)
"""Between these, and their negatives, are the boxes of one operand."""
HALVES = tuple(n / 2 for n in range(-3, 4))
"""Between these are the sides of two operands. Points are sixteenths."""


def outside_the_standard() -> Vectors:
    """Boxes between all pairs of ends, with what the values at the points of the grid span.

    Points are all float16 of a box of one operand, of two all sixteenths, so that nothing that the
    operations compute of them needs rounding. Of ``rand`` they are the ends.
    """
    return {op: _on_a_line(op) if OPS[op].arity == 1 else _in_a_plane(op) for op in OUTSIDE}


def _on_a_line(op: str) -> list[Case]:
    ends = np.unique([*ENDS, *(-end for end in ENDS)])
    points = ends if op in HASHES else _float16()
    values = _values(op, points)
    places = np.searchsorted(points, ends).tolist()
    pairs = itertools.combinations_with_replacement(places, 2)
    return [_case(op, [points[i : j + 1]], values[i : j + 1]) for i, j in pairs]


def _in_a_plane(op: str) -> list[Case]:
    points = np.arange(-24, 25) / 16
    values = _values(op, points, points)
    ends = np.searchsorted(points, HALVES).tolist()
    sides = [slice(i, j + 1) for i, j in itertools.combinations_with_replacement(ends, 2)]
    pairs = itertools.product(sides, sides)
    return [_case(op, [points[a], points[b]], values[a, b]) for a, b in pairs]


@cache
def _float16() -> NDArray[np.float64]:
    """All finite numbers of float16, in order."""
    words = np.arange(1 << 16, dtype=np.uint16).view(HALF).astype(np.float64)
    return np.unique(words[np.isfinite(words)])


def _values(op: str, *axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The value at every point of the grid, which float64 holds; NaN where there is none."""
    numbers = [[Fraction(number) for number in axis.tolist()] for axis in axes]
    found = (reals.VALUE[op](*point) for point in itertools.product(*numbers))
    flat = [np.nan if value is None else float(value) for value in found]
    return np.array(flat).reshape([len(axis) for axis in axes])


def _case(op: str, sides: list[Any], values: NDArray[np.float64]) -> Case:
    operands = tuple(Operand(float(side[0]), float(side[-1])) for side in sides)
    defined = values[~np.isnan(values)]
    span = (float(defined.min()), float(defined.max())) if defined.size else (inf, -inf)
    expected = Operand(*span, None if defined.size == values.size else "trv")
    text = " ".join([op, *(f"[{side.lower!r}, {side.upper!r}]" for side in operands)])
    return Case(op, operands, expected, text)
