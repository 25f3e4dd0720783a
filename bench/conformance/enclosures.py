"""The interval evaluators, each held against test cases: what it encloses, and how tightly.

Cases are binary64. For a float32 evaluator their operands are rounded outwards, and what is
expected too; only where no operand was changed by that can be told whether bounds are tight.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from support.itl import Case, Operand
from support.lane_kernels import LaneEvaluator

import intervalvm as ivm
from bench.conformance.vectors import HASHES
from intervalvm.arith.arrays import IntervalArrays
from intervalvm.arith.directed import DOWN, UP, DirectedArrays
from intervalvm.compiler.plain import plain_program
from intervalvm.evaluate.boxes import FLOAT_RULES, REAL_RULES, IntervalRules
from intervalvm.evaluate.decorated import Decoration, Real, applied
from intervalvm.jit.layout import LANES
from intervalvm.ops import OPS
from intervalvm.ops.row import Interval
from intervalvm.words import Meaning

ZERO = Operand(0.0, 0.0, "com")


@dataclass(frozen=True)
class Found:
    """What an evaluator makes of a case."""

    case: Case
    lower: float
    upper: float
    enclosed: bool
    tight: bool | None
    """None where nobody can tell."""
    near: bool
    """Neither bound is more than a float beyond what is expected."""
    decoration: str = ""

    def __str__(self) -> str:
        return f"{self.case.text}: [{self.lower.hex()}, {self.upper.hex()}]_{self.decoration}"


class Evaluator(NamedTuple):
    """Rules of bounds, what runs them ("NumPy" or "lanes") and the dtype of the bounds."""

    rules: str
    engine: str
    dtype: str

    def __call__(self, op: str, cases: Sequence[Case]) -> list[Found]:
        """What it makes of cases of an operation."""
        with np.errstate(all="ignore"):
            return list(RUN[self.rules, self.engine](self.dtype, op, cases))


Bounds = Callable[[str, Sequence[Interval], np.dtype[Any]], Interval]
"""Bounds of an operation over some boxes, given its one or two operands."""


# --- real numbers -------------------------------------------------------------------------------


def outward(dtype: str, op: str, cases: Sequence[Case]) -> Iterator[Found]:
    """``interval`` with prove="area" must enclose what is expected."""
    asked = _Asked(dtype, op, cases)
    found = applied(DirectedArrays(np.dtype(dtype)), op, asked.operands)
    names = [str(Decoration(code)) for code in found.decoration.tolist()]
    yield from asked.answered(found.lower, found.upper, found.maybe_nan, names)


def proofs(bounds: Bounds, dtype: str, op: str, cases: Sequence[Case]) -> Iterator[Found]:
    """The bounds of proofs must enclose the same. There is no empty box in them."""
    asked = _Asked(dtype, op, _not_empty(cases))
    boxes = [Interval(o.lower, o.upper, o.maybe_nan) for o in asked.operands]
    yield from asked.answered(*bounds(op, boxes, np.dtype(dtype)))


class _Asked:
    """Cases of an operation as the evaluators take them, and what is expected of each."""

    def __init__(self, dtype: str, op: str, cases: Sequence[Case]) -> None:
        xp = DirectedArrays(np.dtype(dtype))
        self.cases = cases
        columns = _columns(op, cases)
        self.operands = [_real(xp, column) for column in columns]
        self.expected = _real(xp, [case.expected for case in cases])
        kept = [_is_kept(*pair) for pair in zip(self.operands, columns, strict=True)]
        self.can_tell = np.all(kept, axis=0)
        if op in HASHES:
            self.can_tell &= np.all([o.lower == o.upper for o in self.operands], axis=0)

    def answered(
        self, lower: Any, upper: Any, maybe_nan: Any, decorations: Sequence[str] = ()
    ) -> Iterator[Found]:
        """Bounds enclose what is expected, and say where the function may be undefined."""
        want = self.expected
        enclosed = want.is_empty | ((lower <= want.lower) & (want.upper <= upper))
        undefined = [case.expected.decoration == "trv" for case in self.cases]
        enclosed &= maybe_nan | ~(want.is_empty | undefined)
        yield from self.listed(lower, upper, enclosed, decorations)

    def listed(
        self, lower: Any, upper: Any, enclosed: Any, decorations: Sequence[str] = ()
    ) -> Iterator[Found]:
        """Bounds are tight if they are no wider than expected."""
        want, inf = self.expected, self.expected.lower.dtype.type(np.inf)
        tight = (want.lower <= lower) & (upper <= want.upper) & (want.is_empty == (lower > upper))
        near = (want.lower <= np.nextafter(lower, inf)) & (np.nextafter(upper, -inf) <= want.upper)
        parts = (lower, upper, enclosed, tight, tight | near, self.can_tell)
        columns = (np.broadcast_to(part, len(self.cases)).tolist() for part in parts)
        names = decorations or [""] * len(self.cases)
        for case, low, high, is_in, is_tight, is_near, known, name in zip(
            self.cases, *columns, names, strict=True
        ):
            yield Found(case, low, high, is_in, is_tight if known else None, is_near, name)


# --- floats -------------------------------------------------------------------------------------


def nearest(bounds: Bounds, dtype: str, op: str, cases: Sequence[Case]) -> Iterator[Found]:
    """``interval`` that proves nothing must enclose what ``evaluate`` computes in the box.

    That is looked at in the corners and at some points between; and what is expected must be
    enclosed but for the rounding of a bound to nearest. Bounds are tight if they are no wider than
    expected. Cases of the empty interval are left out: there are no floats in it.
    """
    asked = _Asked(dtype, op, _not_empty(cases))
    boxes = [Interval(o.lower, o.upper, np.zeros(len(o.lower), bool)) for o in asked.operands]
    found = bounds(op, boxes, np.dtype(dtype))
    lower, upper, maybe_nan = (np.broadcast_to(part, len(asked.cases)) for part in found)
    enclosed = _values_are_within(op, boxes, lower, upper, maybe_nan)
    want, inf = asked.expected, lower.dtype.type(np.inf)
    near = (lower <= np.nextafter(want.lower, inf)) & (upper >= np.nextafter(want.upper, -inf))
    yield from asked.listed(lower, upper, enclosed & (want.is_empty | near))


def _values_are_within(
    op: str, boxes: Sequence[Interval], lower: Any, upper: Any, maybe_nan: Any
) -> NDArray[np.bool_]:
    """Whether ``evaluate`` computes nothing else at some floats of each box."""
    grids = [_floats(box.lower, box.upper) for box in boxes]
    held = np.ones(lower.shape, bool)
    for point in itertools.product(*grids):
        values = ivm.evaluate(_tape(op), point[0], point[-1], dtype=lower.dtype)
        within = (lower <= values) & (values <= upper)
        held &= np.where(np.isnan(values), maybe_nan, within)
    return held


def _floats(lower: Any, upper: Any) -> list[Any]:
    """Some floats of each side: its ends and those beside them, the middle, 0."""
    middle = lower / 2 + upper / 2
    some = [np.nextafter(lower, upper), np.nextafter(upper, lower), middle, lower * 0]
    inside = [np.where((lower <= s) & (s <= upper), s, lower) for s in some]
    return [lower, upper, *inside]


# --- evaluators ---------------------------------------------------------------------------------


def _by_numpy(
    rules: IntervalRules, op: str, sides: Sequence[Interval], dtype: np.dtype[Any]
) -> Interval:
    return rules.intervals[op](IntervalArrays(dtype), *sides)


def _by_lanes(
    meaning: Meaning, op: str, sides: Sequence[Interval], dtype: np.dtype[Any]
) -> Interval:
    program, lanes = plain_program(_tape(op), dtype), LaneEvaluator(dtype, meaning=meaning)
    x, y = sides[0], sides[-1]
    blocks = []
    for start in range(0, len(x.lower), LANES):
        block = (Interval(*(part[start : start + LANES] for part in side)) for side in (x, y))
        found = lanes.interval(program, *block)
        blocks.append((found.lower[-1], found.upper[-1], found.maybe_nan[-1]))
    return Interval(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))


RUN: dict[tuple[str, str], Callable[[str, str, Sequence[Case]], Iterator[Found]]] = {
    ("outward", "NumPy"): outward,
    ("proofs", "NumPy"): partial(proofs, partial(_by_numpy, REAL_RULES)),
    ("proofs", "lanes"): partial(proofs, partial(_by_lanes, Meaning.REAL)),
    ("nearest", "NumPy"): partial(nearest, partial(_by_numpy, FLOAT_RULES)),
    ("nearest", "lanes"): partial(nearest, partial(_by_lanes, Meaning.FLOAT)),
}
EVALUATORS = [Evaluator(*name, dtype) for dtype in ("float64", "float32") for name in RUN]
OUTWARD = EVALUATORS[0]


# --- cases as arrays ----------------------------------------------------------------------------


def _tape(op: str) -> ivm.Tape:
    return ivm.parse("x var-x\ny var-y\nv " + f"{op} x y"[: len(op) + 2 * OPS[op].arity])


def _not_empty(cases: Sequence[Case]) -> list[Case]:
    return [case for case in cases if not any(side.is_empty for side in case.operands)]


def _columns(op: str, cases: Sequence[Case]) -> list[tuple[Operand, ...]]:
    """The first operands of all cases, and the second ones."""
    full = (case.operands + (ZERO,) * (OPS[op].arity - len(case.operands)) for case in cases)
    return list(zip(*full, strict=True))


def _real(xp: DirectedArrays, sides: Sequence[Operand]) -> Real:
    """Intervals as the evaluator takes them, rounded outwards. What has no decoration gets one."""
    empty = np.array([side.is_empty for side in sides])
    lower, upper = _ends(sides)
    names = [side.decoration or ("trv" if side.is_empty else "dac") for side in sides]
    return Real(
        np.where(empty, xp.inf, xp.towards(DOWN, lower, np.nan)),
        np.where(empty, -xp.inf, xp.towards(UP, upper, np.nan)),
        np.array([Decoration[name.upper()] for name in names], np.int8),
    )


def _is_kept(rounded: Real, sides: Sequence[Operand]) -> Any:
    lower, upper = _ends(sides)
    return (rounded.lower == lower) & (rounded.upper == upper)


def _ends(sides: Sequence[Operand]) -> tuple[Any, Any]:
    return np.array([s.lower for s in sides]), np.array([s.upper for s in sides])
