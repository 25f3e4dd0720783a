"""Real points of a box for Hypothesis, and the real values of tapes there."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from support import reals
from support.boxes import float_at, place, ranges

import intervalvm as ivm
from intervalvm.ops import OPS

Side = tuple[float, float]


FEW, SOME = (settings(max_examples=settings().max_examples // part) for part in (5, 2))
"""A hunt takes more here too: pytest --hypothesis-profile=thorough."""


def real_sides(dtype: str) -> st.SearchStrategy[Side]:
    """Sides of real numbers: their ends are floats of the dtype, or unbounded."""
    some = ranges(dtype, nan=False).map(lambda found: (found.low, found.high))
    return some.filter(lambda side: side[0] < math.inf and side[1] > -math.inf)


PLACES = st.lists(st.integers(0, 2**64 - 1), min_size=12, max_size=12)
"""Where points lie in a side: cheaper to draw than points."""


def point_in(side: Side, where: int) -> Fraction:
    """An end, a real number at some eighth between them, or a float64 of the side."""
    largest = float(np.finfo("float64").max)
    low, high = max(side[0], -largest), min(side[1], largest)
    kind, where = where % 4, where // 4
    if kind == 0:
        return Fraction((low, high)[where % 2])
    if kind == 1:
        part = Fraction(where % 9, 8)
        return Fraction(low) * (1 - part) + Fraction(high) * part
    first, last = place(low, "float64"), place(high, "float64")
    return Fraction(float_at(first + where % (last - first + 1), "float64"))


def pairs(places: list[int]) -> list[tuple[int, ...]]:
    return list(zip(places[::2], places[1::2], strict=True))


TRANSCENDENTAL = [op.name for op in OPS.values() if op.function is not None]


def real_value(tape: ivm.Tape, point: list[Fraction]) -> Any:
    values: list[Any] = []
    for i, code in enumerate(tape.codes.tolist()):
        op = list(OPS)[code]
        operands = [values[k] for k in tape.operands(i)]
        if op == "const":
            number = float(tape.wide[i])
            values.append(Fraction(number) if math.isfinite(number) else None)
        elif op in ("var-x", "var-y", "var-z"):
            values.append(point["xyz".index(op[-1])])
        else:
            values.append(None if None in operands else reals.VALUE[op](*operands))
    return values[-1]
