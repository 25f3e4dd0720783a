"""A tape made ready for proofs about its real function: what ``fold`` and ``predicates`` need.

The passes of ``compiler`` are about what floats compute, and take from here what is different in
real numbers: an operation on constants is folded only where its result is a float, the others
become constants of which bounds are known, and a threshold is a pair (low, high). ``v < low`` says
yes to the question, ``v >= high`` says no; in between is not known. Questions with ``greater`` have
yes above ``high``, and no up to ``low``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.arith.arrays import Arrays, IntervalArrays
from intervalvm.arith.directed import DOWN, UP, DirectedArrays
from intervalvm.compiler.balance import balance
from intervalvm.compiler.fold import fold
from intervalvm.compiler.thresholds import FROM_ZERO, Floats, least_float, previous_float
from intervalvm.evaluate import decorated
from intervalvm.evaluate.boxes import REAL
from intervalvm.evaluate.decorated import DEF, Real
from intervalvm.ops import CODE, ROWS
from intervalvm.ops.row import Interval
from intervalvm.tape import Tape
from intervalvm.tape.liveness import ARITY

DOUBLE = np.dtype(np.float64)
Pair = tuple[float, float]


def folded_exactly(tape: Tape, settings: dict[str, float]) -> Tape:
    """A tape of the same real function with z and the variables set to ``settings``."""
    return fold(tape, Arrays(np, DOUBLE), settings, exact_only=_exact)


def prepared(tape: Tape, settings: dict[str, float]) -> tuple[Tape, NDArray[np.float64]]:
    """A tape of the same real function that reads x and y alone, with bounds of its constants.

    ``settings`` are z and the variables. In the tape an operation on constants alone is a constant;
    the bounds are float64 (len(tape), 2), NaN of what may be no number and 0 of other clauses.
    """
    folded = balance(folded_exactly(tape, settings))
    xp = DirectedArrays(DOUBLE)
    numbers: dict[int, Real] = {}
    codes, ends = folded.codes.copy(), np.zeros((len(folded), 2))
    with np.errstate(all="ignore"):
        for i in np.flatnonzero(codes == CODE["const"]).tolist():
            numbers[i] = decorated.given(xp, folded.wide[i], folded.wide[i])
        for i in np.flatnonzero(ARITY[codes] > 0).tolist():
            operands = folded.operands(i)
            if all(operand in numbers for operand in operands):
                name = ROWS[codes[i]].name
                numbers[i] = decorated.applied(xp, name, [numbers[o] for o in operands])
    for i, number in numbers.items():
        codes[i] = CODE["const"]
        ends[i] = (number.lower, number.upper) if number.decoration >= DEF else np.nan
    wide = np.where(codes == CODE["const"], ends[:, 0], 0.0)
    with np.errstate(over="ignore", under="ignore"):
        single = wide.astype(np.float32)
    left, right = (np.where(codes == CODE["const"], -1, o) for o in (folded.left, folded.right))
    return Tape(codes, left, right, wide, single, folded.variables), ends


def _exact(name: str, *operands: float) -> float | None:
    """The result of an operation on numbers, if it is a float64."""
    xp = DirectedArrays(DOUBLE)
    numbers = [decorated.given(xp, np.float64(o), np.float64(o)) for o in operands]
    found = decorated.applied(xp, name, numbers)
    is_known = found.decoration >= DEF and found.lower == found.upper
    return float(found.lower) if is_known else None


class Reals(Floats):
    """The numbers of questions about real functions: pairs of float64, see above.

    ``ends`` are the bounds of a tape's constants. A program has them, and the thresholds of its
    comparisons, as floats of ``dtype``.
    """

    def __init__(self, ends: NDArray[np.float64], dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self.values: list[Pair] = [(low, high) for low, high in ends.tolist()]
        sides = rounded(ends[:, 0], dtype, DOWN), rounded(ends[:, 1], dtype, UP)
        self.constants = list(zip(*(side.tolist() for side in sides), strict=True))
        self.zero, self.one, self.infinity = (0.0, 0.0), (1.0, 1.0), (math.inf, math.inf)
        self.before_zero = (-math.ulp(0.0), -math.ulp(0.0))

    def negative(self, t: Pair) -> Pair:
        return -t[1], -t[0]

    def beyond(self, *_: Any) -> None:
        """Real numbers lie dense."""

    def literal(self, t: Pair, greater: bool) -> Pair:
        """A float is below a number if it is below the next float from there; so with ``>``."""
        low, high = rounded(np.array(t), self.dtype, DOWN if greater else UP).tolist()
        return low, high

    def sign(self, k: Pair) -> int:
        return (k[0] > 0) - (k[1] < 0) if self.is_finite(k) else 0

    def is_finite(self, k: Pair) -> bool:
        return all(map(math.isfinite, k))

    def answer(self, value: Pair, greater: bool, t: Pair) -> bool | None:
        if math.isnan(value[0]):
            return None  # it may be undefined
        if greater:
            value, t = self.negative(value), self.negative(t)
        return True if value[1] < t[0] else None if value[0] < t[1] else False

    def limits(
        self, name: str, k: list[Pair], t: list[Pair], greater: NDArray[np.bool_]
    ) -> tuple[list[Pair], list[int]]:
        """Yes as long as the upper bound of f(v) says so, no where the lower one does."""
        xp, rule = IntervalArrays(DOUBLE), REAL.intervals[name]
        low, high = np.array(k).T
        constant = Interval(low, high, xp.no)
        operands = () if ONE_OPERAND[name] else (constant,)

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


ONE_OPERAND = {op.name: op.arity == 1 for op in ROWS}


def rounded(numbers: NDArray[np.float64], dtype: np.dtype[Any], way: int) -> NDArray[Any]:
    """The floats of ``dtype`` next to numbers, seen along ``way``; NaN stays."""
    with np.errstate(all="ignore"):
        near = numbers.astype(dtype)
        short = near < numbers if way == UP else near > numbers
        found: NDArray[Any] = np.where(short, np.nextafter(near, dtype.type(way * np.inf)), near)
    return found
