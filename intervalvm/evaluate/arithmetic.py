"""The arithmetics of the two meanings of a tape, for the compiler.

An *arithmetic* has, for one meaning and dtype, results of operations on constants, and bounds of
clauses over boxes. These are the definitions, in NumPy; ``jit.arithmetic`` has faster bounds of one
box.

``Floats`` is that of the float program; its numbers are floats of the dtype. ``Reals`` is that of
the real function; its numbers are pairs (low, high) of float64 that enclose a real number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from intervalvm.arith.arrays import Arrays, tame_limit
from intervalvm.arith.directed import DOWN, UP, DirectedArrays
from intervalvm.evaluate import boxes, decorated
from intervalvm.evaluate.boxes import FLOAT_RULES, REAL_RULES, Bounds, IntervalRules
from intervalvm.evaluate.decorated import DEF, Real
from intervalvm.ops import AXES, CODE, OPS
from intervalvm.ops.row import Interval
from intervalvm.tape import Tape
from intervalvm.words import Meaning

DOUBLE = np.dtype(np.float64)
Pair = tuple[float, float]


class Inputs(NamedTuple):
    """The intervals of "var-x", "var-y" and, in a volume, "var-z"; and of each free variable."""

    axes: dict[str, Interval]
    free: Sequence[Interval] = ()

    @staticmethod
    def box(sides: Sequence[Pair], dtype: np.dtype[Any]) -> Inputs:
        """One box in x and y, or in x, y and z, of the ends (low, high) of its sides."""
        found = (
            Interval(np.array([low], dtype), np.array([high], dtype), np.zeros(1, bool))
            for low, high in sides
        )
        return Inputs(dict(zip(AXES.values(), found, strict=False)))

    @property
    def is_volume(self) -> bool:
        """Whether z is an input."""
        return len(self.axes) == len(AXES)


class Clauses(Protocol):
    """A tape in work, see ``compiler.passes.Table``: the ends of constants by clause."""

    @property
    def codes(self) -> NDArray[np.uint8]: ...
    @property
    def left(self) -> NDArray[np.int32]: ...
    @property
    def right(self) -> NDArray[np.int32]: ...
    @property
    def low(self) -> NDArray[np.float64]: ...
    @property
    def high(self) -> NDArray[np.float64]: ...
    def tape(self) -> Tape: ...


@dataclass(frozen=True)
class ClauseBounds:
    """Bounds of the clauses over one box.

    The value of clause i is within ``lower[i]`` and ``upper[i]``, and NaN (or undefined) only if
    ``maybe_nan[i]``.
    """

    lower: NDArray[Any]
    upper: NDArray[Any]
    maybe_nan: NDArray[np.bool_]

    def is_tame(self, of: Any = slice(None)) -> bool:
        """Whether all bounds ``of`` some clauses are finite, with a margin, and none may be NaN."""
        limit, lower, upper = tame_limit(self.lower.dtype), self.lower[of], self.upper[of]
        is_finite = lower.min() > -limit and upper.max() < limit  # false for NaN
        return bool(is_finite) and not self.maybe_nan[of].any()


class Base:
    """What both have; ``dtype`` is that of points and bounds."""

    meaning: ClassVar[Meaning]
    rules: ClassVar[IntervalRules]

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype

    def rounded(self, numbers: NDArray[np.float64], way: int) -> NDArray[Any]:
        """Numbers rounded down (way = -1) or up (way = +1) to the points' dtype; NaN stays."""
        del way  # those of the float program are floats
        return numbers.astype(self.dtype)

    def bounds(self, tape: Tape, inputs: Inputs, *, sign_only: bool = False) -> Bounds:
        """The intervals of all clauses over regions, and the choices: see ``boxes.bounds``."""
        return boxes.bounds(tape, *inputs, self.dtype, sign_only=sign_only, rules=self.rules)

    def clause_bounds(self, table: Clauses, inputs: Inputs, scratch: Any = None) -> ClauseBounds:
        """Bounds over one box; compiled code uses ``scratch`` memory, if there is."""
        del scratch
        ends = self.rounded(table.low, DOWN), self.rounded(table.high, UP)
        rules = replace(self.rules, constants=lambda *_: ends)
        found = boxes.bounds(table.tape(), *inputs, self.dtype, rules=rules).values
        lower, upper, maybe_nan = (
            np.array([np.ravel(part)[0] for part in parts]) for parts in zip(*found, strict=True)
        )
        return ClauseBounds(lower.astype(self.dtype), upper.astype(self.dtype), maybe_nan)


class Floats(Base):
    """The float program in one dtype. Comparisons with NaN are false."""

    meaning, rules = Meaning.FLOAT, FLOAT_RULES

    def __init__(self, dtype: np.dtype[Any]) -> None:
        super().__init__(dtype)
        self.constant_type = dtype
        """The dtype of the constants of a tape."""
        self.xp = Arrays(np, dtype)

    def constant(self, value: Any) -> Any:
        """A constant of a tape in ``constant_type``; all NaN are equivalent."""
        return self.dtype.type(np.nan if np.isnan(value) else value)

    def numbers(self, tape: Tape) -> NDArray[np.float64]:
        """The constants of a tape by clause, 0 for others."""
        is_const = tape.codes == CODE["const"]
        return np.where(is_const, tape.constants(self.dtype), 0.0).astype(DOUBLE)

    def result(self, name: str, *operands: Any) -> Any:
        """An operation on constants, if the result is a constant; else None."""
        return OPS[name].point(self.xp, *operands)


class Reals(Base):
    """The real function, of points that are floats of one dtype.

    Constants are folded where their result is a float64; of other results bounds are known.
    """

    meaning, rules = Meaning.REAL, REAL_RULES

    def __init__(self, dtype: np.dtype[Any]) -> None:
        super().__init__(dtype)
        self.constant_type = DOUBLE
        self.xp, self.narrow = DirectedArrays(DOUBLE), DirectedArrays(dtype)

    def rounded(self, numbers: NDArray[np.float64], way: int) -> NDArray[Any]:
        """Numbers rounded down (way = -1) or up (way = +1) to the points' dtype; NaN stays."""
        with np.errstate(all="ignore"):
            return np.asarray(self.narrow.towards(way, numbers, np.nan))

    def constant(self, value: Any) -> Any:
        return np.float64(value if np.isfinite(value) else np.nan)

    def numbers(self, tape: Tape) -> NDArray[np.float64]:
        is_const = tape.codes == CODE["const"]
        return np.where(is_const, np.where(np.isfinite(tape.wide), tape.wide, np.nan), 0.0)

    def result(self, name: str, *operands: Any) -> Any:
        found = self.applied(name, list(map(self.given, operands)))
        low, high = self.ends(found)
        return low if low == high else None

    def given(self, number: Any) -> Real:
        """The interval of a constant."""
        wide = np.float64(number)
        return decorated.given(self.xp, wide, wide)

    def applied(self, name: str, operands: Sequence[Real]) -> Real:
        """An operation on intervals of constants."""
        return decorated.applied(self.xp, name, operands)

    def ends(self, number: Real) -> Pair:
        """The ends of an interval, NaN where it may be undefined."""
        if number.decoration < DEF:
            return math.nan, math.nan
        return float(number.lower), float(number.upper)


Arithmetic = Floats | Reals
ARITHMETICS: dict[Meaning, type[Arithmetic]] = {Meaning.FLOAT: Floats, Meaning.REAL: Reals}
