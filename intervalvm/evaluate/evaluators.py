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

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.arith.arrays import Arrays, tame_limit
from intervalvm.arith.directed import DOWN, UP, DirectedArrays
from intervalvm.evaluate import boxes, decorated
from intervalvm.evaluate.boxes import FLOAT_RULES, REAL_RULES, Bounds, IntervalRules
from intervalvm.evaluate.decorated import DEF, Real
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


@dataclass(frozen=True)
class ClauseBounds:
    """Constants and bounds of the clauses over one box.

    ``constants`` are those of constant clauses. The value of clause i is within ``lower[i]`` and
    ``upper[i]``, and NaN (or undefined) only if ``maybe_nan[i]``.
    """

    constants: Sequence[Any]
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

    def operands(self, numbers: Sequence[Any]) -> Sequence[Any]:
        """Numbers as programs have them: floats of ``dtype``, or pairs of them."""
        return numbers

    def pool(self, numbers: Sequence[Any]) -> NDArray[Any]:
        """The operands as an array (n,), or (n, 2) of ends."""
        return np.array(self.operands(numbers), self.dtype)

    def bounds(self, tape: Tape, inputs: Inputs, *, sign_only: bool = False) -> Bounds:
        """The intervals of all clauses over regions, and the choices: see ``boxes.bounds``."""
        return boxes.bounds(tape, *inputs, self.dtype, sign_only=sign_only, rules=self.rules)

    def clause_bounds(self, tape: Tape, numbers: Sequence[Any], inputs: Inputs) -> ClauseBounds:
        """Constants and bounds over one box; ``numbers`` are those of the constants."""
        ends = self.pool(numbers).reshape(len(tape), -1)
        rules = replace(self.rules, constants=lambda *_: (ends[:, 0], ends[:, -1]))
        found = boxes.bounds(tape, *inputs, self.dtype, rules=rules).values
        lower, upper, maybe_nan = (
            np.array([np.ravel(part)[0] for part in parts]) for parts in zip(*found, strict=True)
        )
        return ClauseBounds(numbers, lower.astype(self.dtype), upper.astype(self.dtype), maybe_nan)


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

    def result(self, name: str, *operands: Any) -> Any:
        """An operation on constants, if the result is a constant; else None."""
        return OPS[name].point(self.xp, *operands)

    def constants(self, tape: Tape) -> tuple[Tape, list[Any]]:
        """The tape with constant clauses as constants, and the numbers by clause.

        Entries of other clauses are not used.
        """
        return tape, tape.constants(self.dtype).tolist()


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

    def result(self, name: str, *operands: Any) -> Any:
        found = decorated.applied(self.xp, name, [self._given(operand) for operand in operands])
        is_known = found.decoration >= DEF and found.lower == found.upper
        return float(found.lower) if is_known else None

    def _given(self, number: Any) -> Real:
        wide = np.float64(number)
        return decorated.given(self.xp, wide, wide)

    def constants(self, tape: Tape) -> tuple[Tape, list[Any]]:
        """Numbers are pairs, of NaN if the constant may be undefined."""
        found: dict[int, Real] = {}
        codes, ends = tape.codes.copy(), np.zeros((len(tape), 2))
        with np.errstate(all="ignore"):
            for i in np.flatnonzero(codes == CODE["const"]).tolist():
                found[i] = self._given(tape.wide[i])
            for i in np.flatnonzero(ARITY[codes] > 0).tolist():
                operands = tape.operands(i)
                if all(operand in found for operand in operands):
                    name = ROWS[codes[i]].name
                    found[i] = decorated.applied(self.xp, name, [found[o] for o in operands])
        for i, number in found.items():
            codes[i] = CODE["const"]
            ends[i] = (number.lower, number.upper) if number.decoration >= DEF else np.nan
        is_const = codes == CODE["const"]
        wide = np.where(is_const, ends[:, 0], 0.0)
        with np.errstate(over="ignore", under="ignore"):
            single = wide.astype(np.float32)
        left, right = (np.where(is_const, NONE, side) for side in (tape.left, tape.right))
        enclosed = Tape(codes, left, right, wide, single, tape.variables)
        return enclosed, [(low, high) for low, high in ends.tolist()]

    def operands(self, numbers: Sequence[Any]) -> Sequence[Any]:
        low, high = np.array(numbers, DOUBLE).T
        sides = self.rounded(low, DOWN), self.rounded(high, UP)
        return list(zip(*(side.tolist() for side in sides), strict=True))


Evaluator = Floats | Reals
EVALUATORS: dict[Meaning, type[Evaluator]] = {Meaning.FLOAT: Floats, Meaning.REAL: Reals}
MEANINGS: tuple[Meaning, ...] = tuple(EVALUATORS)
