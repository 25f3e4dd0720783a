"""Tapes as real functions over boxes: bounds, and whether they are defined, continuous and bounded.

Bounds are the tight ones of ``arith.directed``. The decoration of a clause, by IEEE 1788-2015, is
the least of its operands' and that of its operation over their bounds. "May be NaN" is a decoration
below DEF.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from intervalvm.arith.directed import DOWN, UP, DirectedArrays
from intervalvm.ops import OPS, ROWS
from intervalvm.ops.row import Interval
from intervalvm.tape import Tape
from intervalvm.tape.liveness import dying


class Decoration(IntEnum):
    """A decoration of a function over a box, with the names and numbers of IEEE 1788-2015."""

    ILL = 0
    """Ill-formed: a constant is not a number."""
    TRV = 4
    """Trivial: nothing is known."""
    DEF = 8
    """Defined at every point of the box."""
    DAC = 12
    """Defined, and its restriction to the box is continuous."""
    COM = 16
    """Defined, continuous at every point of the box, and box and bounds are finite."""

    def __str__(self) -> str:
        return self.name.lower()


ILL, TRV, DEF, DAC, COM = (np.int8(decoration) for decoration in Decoration)


class Real(NamedTuple):
    """Bounds and decorations of a real function over boxes, as arrays of one shape."""

    lower: Any
    upper: Any
    decoration: Any

    @property
    def is_empty(self) -> Any:
        return self.lower > self.upper

    @property
    def maybe_nan(self) -> Any:
        """Where the function may be undefined at some point."""
        return self.decoration < DEF


def given(xp: DirectedArrays, low: Any, high: Any) -> Real:
    """The interval of two float64, ill-formed if it has no real number, as from inf to inf."""
    lower, upper = xp.towards(DOWN, low, np.nan), xp.towards(UP, high, np.nan)
    some = (low <= high) & (low < np.inf) & (high > -np.inf)
    finite = np.isfinite(lower) & np.isfinite(upper)
    return Real(
        np.where(some, lower, xp.inf),
        np.where(some, upper, -xp.inf),
        np.where(some, np.where(finite, COM, DAC), ILL),
    )


def applied(xp: DirectedArrays, name: str, operands: Sequence[Real]) -> Real:
    """The interval of an operation, and its decoration."""
    plain = [Interval(operand.lower, operand.upper, xp.no) for operand in operands]
    op = OPS[name]
    lower, upper = op.reals(xp, *plain)
    empty, leaves = op.domain(xp, (lower, upper), *plain)
    for operand in operands:
        empty = empty | operand.is_empty
    holds, interior = op.continuity(xp, *plain)
    local = np.where(holds, np.where(interior, COM, DAC), DEF)
    local = np.where(np.isfinite(lower) & np.isfinite(upper), local, np.minimum(local, DAC))
    local = np.where(leaves | empty, TRV, local)
    for operand in operands:
        local = np.minimum(local, operand.decoration)
    return Real(np.where(empty, xp.inf, lower), np.where(empty, -xp.inf, upper), local)


def bounds(
    tape: Tape, axes: dict[str, Real], free: Sequence[Real], dtype: np.dtype[Any]
) -> list[Real]:
    """The interval of each clause; the arguments are as for ``boxes.bounds``."""
    xp = DirectedArrays(dtype)
    values: list[Real] = []
    with np.errstate(all="ignore"):
        for i in range(len(tape)):
            values.append(_clause(xp, tape, i, values, axes, free))
    return values


def root_bounds(
    tape: Tape,
    axes: dict[str, Real],
    free: Sequence[Real],
    dtype: np.dtype[Any],
    after: Callable[[int], object] | None = None,
) -> Real:
    """The interval of the last clause; others are freed at their last use.

    Shapes broadcast: that of a clause is the shape of the inputs on which it depends. ``after(i)``
    is called after clause ``i``.
    """
    xp = DirectedArrays(dtype)
    values: list[Any] = []
    with np.errstate(all="ignore"):
        for i, gone in enumerate(dying(tape)):
            values.append(_clause(xp, tape, i, values, axes, free))
            for k in gone:
                values[k] = None
            if after is not None:
                after(i)
    root: Real = values[-1]
    return root


def _clause(
    xp: DirectedArrays,
    tape: Tape,
    i: int,
    values: Sequence[Real],
    axes: dict[str, Real],
    free: Sequence[Real],
) -> Real:
    op = ROWS[tape.codes[i]]
    if op.name == "const":
        return given(xp, tape.wide[i], tape.wide[i])
    if op.name == "var":
        return free[int(tape.left[i])]
    if op.is_input:
        return axes[op.name]
    return applied(xp, op.name, [values[k] for k in tape.operands(i)])
