"""Evaluators: the two meanings of a tape, the float program and the real function.

An *evaluator* has, for one meaning and dtype, results of operations on constants, bounds of clauses
over boxes, and thresholds of operations. These are the definitions, in NumPy; ``jit.evaluator``
has faster bounds of one box.

``Floats`` is the float program; its numbers are floats of the dtype. ``Reals`` is the real
function; its numbers are pairs (low, high) of float64 that enclose a real number. ``v < t`` holds
for ``v < low``, fails for ``v >= high``, and is unknown in between; ``v > t`` holds above ``high``
and fails up to ``low``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from intervalvm.arith.arrays import Arrays, IntervalArrays, tame_limit
from intervalvm.arith.directed import DOWN, UP, DirectedArrays
from intervalvm.evaluate import boxes, decorated
from intervalvm.evaluate.boxes import FLOAT_RULES, REAL_RULES, Bounds, IntervalRules
from intervalvm.evaluate.decorated import DEF, Real
from intervalvm.evaluate.thresholds import FROM_ZERO, FUNCTIONS, least_float, previous_float
from intervalvm.ops import CODE, OPS, ROWS
from intervalvm.ops.row import Interval
from intervalvm.tape import NONE, Tape
from intervalvm.tape.liveness import ARITY
from intervalvm.words import Meaning

DOUBLE = np.dtype(np.float64)
Pair = tuple[float, float]


class Inputs(NamedTuple):
    """The intervals of "var-x", "var-y", "var-z", and of each free variable."""

    axes: dict[str, Interval]
    free: Sequence[Interval] = ()

    @staticmethod
    def box(x: Pair, y: Pair, dtype: np.dtype[Any]) -> Inputs:
        """One box in x and y, of the ends (low, high)."""
        sides = (
            Interval(np.array([low], dtype), np.array([high], dtype), np.zeros(1, bool))
            for low, high in (x, y)
        )
        return Inputs(dict(zip(("var-x", "var-y"), sides, strict=True)))


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

    def is_tame(self) -> bool:
        """Whether all bounds are finite, with a margin, and nothing may be NaN."""
        limit = tame_limit(self.lower.dtype)
        wild = self.maybe_nan | ~(self.lower > -limit) | ~(self.upper < limit)
        return not wild.any()


class Base:
    """The base of the evaluators; ``dtype`` is that of points and bounds."""

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

    def clause_bounds(self, table: Clauses, inputs: Inputs) -> ClauseBounds:
        """Bounds over one box."""
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
    zero, one, infinity = 0.0, 1.0, math.inf

    def __init__(self, dtype: np.dtype[Any]) -> None:
        super().__init__(dtype)
        self.constant_type = dtype
        """The dtype of the constants of a tape."""
        self.xp = Arrays(np, dtype)
        self.before_zero = -float(np.nextafter(dtype.type(0), dtype.type(1)))
        """The number next to 0 on the way down."""

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

    def negative(self, t: Any) -> Any:
        return -t

    def beyond(self, t: Any, greater: bool) -> Any:
        """The t' for which ``v < t'`` (``v > t'``) is ``v <= t`` (``v >= t``), or None."""
        end = self.dtype.type(-math.inf if greater else math.inf)
        return float(np.nextafter(self.dtype.type(t), end))

    def literal(self, t: Any, greater: bool) -> Any:
        """The number in a program for ``v < t``, or for ``v > t``."""
        del greater
        return t

    def sign(self, k: Any) -> int:
        """1 or -1; 0 for a number that is zero or not finite."""
        return 0 if not math.isfinite(k) else (k > 0) - (k < 0)

    def is_finite(self, k: Any) -> bool:
        return math.isfinite(k)

    def answer(self, value: Any, greater: bool, t: Any) -> bool | None:
        """Whether ``value < t`` (``> t``), or None if unknown."""
        return bool(value > t if greater else value < t)

    def limits(
        self, name: str, k: list[Any], t: list[Any], greater: NDArray[np.bool_]
    ) -> tuple[list[Any], list[int]]:
        """The thresholds t' of v for thresholds t of f(v), and which are always or never reached.

        f is the operation ``name``, of v and k if it has two operands. For ``v < t'`` t' is the
        least v with ``f(v) >= t``, for ``v > t'`` the one before the least with ``f(v) > t``. The
        second list has 1 if every v reaches ``t``, -1 if none does.
        """
        function = partial(FUNCTIONS[name], self.xp, np.array(k, self.dtype))
        least, found = least_float(function, np.array(t, self.dtype), greater, name in FROM_ZERO)
        always = found & (least == (0 if name in FROM_ZERO else -math.inf))
        limits = np.where(greater, previous_float(least), least)
        return limits.tolist(), np.where(found, always.astype(int), -1).tolist()


class Reals(Base):
    """The real function, of points that are floats of one dtype.

    Constants are folded where their result is a float64; of other results bounds are known.
    """

    meaning, rules = Meaning.REAL, REAL_RULES
    zero, one, infinity = (0.0, 0.0), (1.0, 1.0), (math.inf, math.inf)
    before_zero = (-math.ulp(0.0), -math.ulp(0.0))

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

    def negative(self, t: Any) -> Any:
        return -t[1], -t[0]

    def beyond(self, t: Any, greater: bool) -> Any:
        """Real numbers are dense."""

    def literal(self, t: Any, greater: bool) -> Any:
        """A float is below a number if it is below the number rounded up; likewise for ``>``."""
        low, high = self.rounded(np.array(t), DOWN if greater else UP).tolist()
        return low, high

    def sign(self, k: Any) -> int:
        return (k[0] > 0) - (k[1] < 0) if self.is_finite(k) else 0

    def is_finite(self, k: Any) -> bool:
        return all(map(math.isfinite, k))

    def answer(self, value: Any, greater: bool, t: Any) -> bool | None:
        if math.isnan(value[0]):
            return None  # it may be undefined
        if greater:
            value, t = self.negative(value), self.negative(t)
        return True if value[1] < t[0] else None if value[0] < t[1] else False

    def limits(
        self, name: str, k: list[Any], t: list[Any], greater: NDArray[np.bool_]
    ) -> tuple[list[Any], list[int]]:
        """A comparison holds if it does for the upper bound of f(v), and fails if it does for the
        lower one."""
        xp, rule = IntervalArrays(DOUBLE), self.rules.intervals[name]
        low, high = np.array(k).T
        operands = (Interval(low, high, xp.no),)[: OPS[name].arity - 1]

        def bound(side: int) -> Any:
            return lambda v: rule(xp, Interval(v, v, xp.no), *operands)[side]

        ends, is_least, is_none = [], [], []
        for side, target in ((1, np.array(t)[:, 0]), (0, np.array(t)[:, 1])):
            least, found = least_float(bound(side), target, greater, name in FROM_ZERO)
            always = found & (least == (0 if name in FROM_ZERO else -math.inf))
            limit = np.where(greater & found, previous_float(least), least)
            ends.append(np.where(always, -math.inf, limit))
            is_least.append(always)
            is_none.append(~found)
        reach = is_least[1].astype(int) - is_none[0]
        return list(zip(*(end.tolist() for end in ends), strict=True)), reach.tolist()


Evaluator = Floats | Reals
EVALUATORS: dict[Meaning, type[Evaluator]] = {Meaning.FLOAT: Floats, Meaning.REAL: Reals}
MEANINGS: tuple[Meaning, ...] = tuple(EVALUATORS)
