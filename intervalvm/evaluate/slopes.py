"""Bounds of derivatives over boxes: the derivative rules of the rows, run on intervals.

A rule of ``op.slope.partials`` is a function of numbers; here they are ``Number``, whose arithmetic
is that of the real bounds, so no rule is written twice. They run on arrays and on compiled lanes.

What is bounded is the real function, in both meanings: the bounds of the real operations also hold
the results of floats. They hold for the function *on the box*: all difference quotients between
two points of it that differ in one input lie within. So ``abs(a)`` has the slope 1 where a >= 0
over the box, though a may be 0 on its border. A box that is flat in an input by which is
differentiated has no such pairs: there the bounds hold Clarke's generalised gradient, of both sides
of each kink. What ``gradients`` computes at a point inside lies within too, unless rounding moves a
value onto a kink at the border, or overflows.

===================================  ===============================================================
a clause that an input does not      0, exactly
reach
``min max abs and or``               the slope of the branch that is proven, or the hull of both
a jump may lie in the box            infinite; 0 if the operands do not change along the input
maybe undefined, or not Lipschitz    infinite
``sqrt`` of a sum of squares         at most the length of the vector of their terms' slopes, since
                                     ``d sqrt(sum a_i**2) = sum(a_i da_i) / sqrt(sum a_i**2)`` is a
                                     projection of it (Cauchy and Schwarz): so distances have finite
                                     slopes everywhere
===================================  ===============================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.arith.arrays import IntervalArrays
from intervalvm.arith.nearest import NextFloat
from intervalvm.evaluate.boxes import REAL_RULES
from intervalvm.evaluate.points import input_of
from intervalvm.ops import CODE, ROWS
from intervalvm.ops.row import Interval, Op, Partial, constant, continuous, has_zero, is_zero
from intervalvm.tape import Tape
from intervalvm.tape.liveness import dying

FUNCTIONS = {op.function.compute: op for op in ROWS if op.function is not None}


# --- numbers that are intervals -------------------------------------------------------------------


class Truth(NamedTuple):
    """A comparison of intervals: masks of where it is proven, and where its opposite is."""

    always: Any
    never: Any


class Number:
    """An interval as an operand of derivative rules; ``of`` is their namespace."""

    __slots__ = ("ends", "of")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, of: Numbers, ends: Interval) -> None:
        self.of, self.ends = of, ends

    def __neg__(self) -> Number:
        return self.of.number((-self.ends.upper, -self.ends.lower))

    def __add__(self, other: Any) -> Number:
        return self.of.number(self.of.system.sum(self.ends, self.of.lift(other).ends))

    def __sub__(self, other: Any) -> Number:
        a, b = self.ends, self.of.lift(other).ends
        return self.of.number(self.of.system.sum(a, Interval(-b.upper, -b.lower, b.maybe_nan)))

    def __mul__(self, other: Any) -> Number:
        of, factor = self.of, self.of.lift(other)
        if factor is self:
            return of.number(of.system.square(self.ends))
        return of.number(of.system.product(self.ends, factor.ends))

    def __truediv__(self, other: Any) -> Number:
        """A divisor that is 0 has no quotients: nothing is known."""
        of, divisor = self.of, self.of.lift(other).ends
        low, high = of.system.quotient(self.ends, divisor)
        return of.number(of.unless(is_zero(divisor), (low, high)))

    def __radd__(self, other: float) -> Number:
        return self.of.lift(other) + self

    def __rsub__(self, other: float) -> Number:
        return self.of.lift(other) - self

    def __rmul__(self, other: float) -> Number:
        return self.of.lift(other) * self

    def __rtruediv__(self, other: float) -> Number:
        return self.of.lift(other) / self

    def __lt__(self, other: Any) -> Truth:
        """Over a box with an interior also where they are equal on its border.

        There the lesser one is still the same function as their minimum.
        """
        a, b, solid = self.ends, self.of.lift(other).ends, self.of.solid
        below, above = a.upper <= b.lower, b.upper <= a.lower
        return Truth(
            (a.upper < b.lower) | (solid & below & ~above),
            (b.upper < a.lower) | (solid & above & ~below),
        )

    def __gt__(self, other: Any) -> Truth:
        always, never = self < other
        return Truth(never, always)

    def __eq__(self, other: Any) -> Truth:  # type: ignore[override]
        assert other == 0, "rules compare with 0"
        return Truth(is_zero(self.ends), ~has_zero(self.ends))

    def __ne__(self, other: Any) -> Truth:  # type: ignore[override]
        always, never = self == other
        return Truth(never, always)


Ends = tuple[Any, Any]
"""The lower and the upper bound of a slope."""


class Numbers:
    """The namespace of derivative rules over boxes, and how slopes are made of slopes.

    ``xp`` is that of interval rules. ``solid`` is a mask of the boxes that are flat in no input by
    which is differentiated.
    """

    is_single = False

    def __init__(self, xp: Any, solid: Any) -> None:
        self.xp, self.system, self.solid = xp, NextFloat(xp), solid

    def number(self, ends: Sequence[Any]) -> Number:
        return Number(self, Interval(ends[0], ends[1], self.xp.no))

    def lift(self, a: Any) -> Number:
        if isinstance(a, Number):
            return a
        one = self.xp.scalar(float(a))
        return self.number((one, one))

    def unless(self, lost: Any, ends: Ends) -> Ends:
        """The bounds, infinite where ``lost``."""
        xp, (low, high) = self.xp, ends
        return xp.where(lost, -xp.inf, low), xp.where(lost, xp.inf, high)

    # what rules call

    def where(self, truth: Truth, a: Any, b: Any) -> Number:
        return self.number(self.chosen(truth, self.lift(a).ends[:2], self.lift(b).ends[:2]))

    def sqrt(self, a: Number) -> Number:
        return self.number(self.system.square_root(a.ends))

    def wide(self, a: Number) -> Number:
        return a

    narrow = wide

    def call(self, function: Any, *operands: Number) -> Number:
        return self.number(FUNCTIONS[function].reals(self.system, *(o.ends for o in operands)))

    # slopes of slopes

    def chosen(self, truth: Truth, a: Ends, b: Ends) -> Ends:
        """Those of the branch that is proven, or the hull of both."""
        xp = self.xp
        low, high = xp.lesser(a[0], b[0]), xp.greater(a[1], b[1])
        return (
            xp.where(truth.always, a[0], xp.where(truth.never, b[0], low)),
            xp.where(truth.always, a[1], xp.where(truth.never, b[1], high)),
        )

    def factor(self, partial: Partial, value: Interval, operands: Sequence[Interval]) -> Any:
        """A partial derivative of an operation: the interval, or 0, 1 or -1."""
        if isinstance(partial, int):
            return partial
        numbers = [self.number(operand) for operand in operands]
        found: Number = partial(self, self.number(value), *numbers)
        return found.ends

    def term(self, factor: Any, slope: Ends) -> Ends:
        """The slope of an operand, times the derivative by it.

        An operand that does not change along the input adds 0, though the factor be infinite; but
        not at a single point, where it may change beside it.
        """
        if isinstance(factor, int):
            return slope if factor == 1 else (-slope[1], -slope[0])
        xp, still = self.xp, is_zero(self._interval(slope))
        low, high = self.system.product(factor, self._interval(slope))
        known = self.solid | ~(xp.isinf(factor.lower) | xp.isinf(factor.upper))
        low, high = self.unless(still & ~known, (low, high))
        return xp.where(still & known, 0.0, low), xp.where(still & known, 0.0, high)

    def sum(self, a: Ends, b: Ends) -> Ends:
        ends: Ends = self.system.sum(self._interval(a), self._interval(b))
        return ends

    def jumps(self, op: Op, operands: Sequence[Interval]) -> Any:
        """The mask of boxes in which the operation may jump; None if it never does."""
        if op.continuity is continuous:
            return None
        holds, around = op.continuity(self.system, *operands)
        return ~(holds & (self.solid | around))

    def settled(self, lost: Any, jumps: Any, slope: Ends, inner: Sequence[Ends]) -> Ends:
        """A slope, infinite where nothing is known: ``lost``, or at a jump.

        Where the operands, of slopes ``inner``, do not change there is no jump along the input.
        """
        if jumps is not None:
            still = self.solid
            for operand in inner:
                still = still & is_zero(self._interval(operand))
            lost = lost | (jumps & ~still)
        return self.unless(lost, slope)

    # sums of squares

    def squared(self, slope: Ends) -> Any:
        """An upper bound of the square of a slope."""
        return self.system.square(self._interval(slope))[1]

    def added(self, a: Any, b: Any) -> Any:
        """An upper bound of the sum of two."""
        return self.sum((a, a), (b, b))[1]

    def within_norm(self, norm: Any, slope: Ends) -> Ends:
        """The slope of the root of a sum of squares, whose slopes' squares add up to ``norm``."""
        xp, longest = self.xp, self.system.square_root(self._interval((norm, norm)))[1]
        return xp.greater(slope[0], -longest), xp.lesser(slope[1], longest)

    def _interval(self, ends: Ends) -> Interval:
        return Interval(*ends, self.xp.no)


# --- a tape ---------------------------------------------------------------------------------------


def with_squares(tape: Tape) -> Tape:
    """The tape with a square for each product of a clause with itself: the same values."""
    same = (tape.codes == CODE["mul"]) & (tape.left == tape.right)
    if not same.any():
        return tape
    right = np.where(same, -1, tape.right).astype(tape.right.dtype)
    codes = np.where(same, CODE["square"], tape.codes).astype(tape.codes.dtype)
    return Tape.of_arrays([codes, tape.left, right, tape.wide, tape.single], tape.variables)


def norms(tape: Tape) -> NDArray[np.bool_]:
    """The mask of square roots of sums of squares, and of what is summed for them.

    A constant that is not negative may be a term.
    """
    codes, left, right = tape.codes, tape.left.tolist(), tape.right.tolist()
    is_sum = (codes == CODE["square"]) | ((codes == CODE["const"]) & (tape.wide >= 0.0))
    for i in np.flatnonzero(codes == CODE["add"]).tolist():
        is_sum[i] = is_sum[left[i]] and is_sum[right[i]]
    found = np.zeros(len(tape), np.bool_)
    for i in reversed(np.flatnonzero(is_sum | (codes == CODE["sqrt"])).tolist()):
        if codes[i] == CODE["sqrt"]:
            found[i] = found[left[i]] = is_sum[left[i]]
        elif found[i] and codes[i] == CODE["add"]:
            found[left[i]] = found[right[i]] = True
    return found


class Clause(NamedTuple):
    """What is known of a clause: None for a slope by an input that does not reach it."""

    value: Interval
    slopes: tuple[Ends | None, ...]
    squares: tuple[Any, ...]
    """Of a sum of squares, by input: the sum of the squares of the slopes of what is squared."""


def bounds(
    tape: Tape, sides: dict[str, Interval], by: Sequence[str], dtype: np.dtype[Any]
) -> tuple[Interval, Sequence[Ends]]:
    """The bounds of the root's value, and of its derivatives by each input of ``by``.

    ``sides`` are the boxes by input. Arrays have the shapes that the inputs broadcast to.
    """
    tape, xp = with_squares(tape), IntervalArrays(dtype)
    solid = ~xp.no
    for name in by:
        solid = solid & (sides[name].lower < sides[name].upper)
    numbers, is_norm = Numbers(xp, solid), norms(tape)
    constants = REAL_RULES.constants(tape, dtype)
    clauses: list[Any] = []
    with np.errstate(all="ignore"):
        for i, gone in enumerate(dying(tape)):
            op = ROWS[tape.codes[i]]
            if op.name == "const":
                ends = (constants[0][i], constants[1][i])
                clauses.append(Clause(constant(xp, *ends), (None,) * len(by), (None,) * len(by)))
            elif op.is_input:
                clauses.append(_input(xp, sides, by, input_of(tape, i)))
            else:
                operands = [clauses[k] for k in tape.operands(i)]
                clauses.append(_clause(numbers, op, operands, is_norm=bool(is_norm[i])))
            for k in gone:
                clauses[k] = None
    zero = xp.scalar(0.0)
    return clauses[-1].value, [slope or (zero, zero) for slope in clauses[-1].slopes]


def _input(xp: Any, sides: dict[str, Interval], by: Sequence[str], name: Any) -> Clause:
    one, zero = xp.scalar(1.0), xp.scalar(0.0)
    side = sides.get(name) or Interval(zero, zero, xp.no)  # declared, not read and no input
    slopes = tuple((one, one) if other == name else None for other in by)
    return Clause(side, slopes, (None,) * len(by))


def _clause(numbers: Numbers, op: Op, operands: Sequence[Clause], *, is_norm: bool) -> Clause:
    inner = [operand.value for operand in operands]
    value = REAL_RULES.intervals[op.name](numbers.xp, *inner)
    if not any(slope for operand in operands for slope in operand.slopes):
        count = len(operands[0].slopes)
        return Clause(value, (None,) * count, (None,) * count)
    jumps = numbers.jumps(op, inner)
    if op.choice is not None:
        truth = op.choice.takes_left(*(numbers.number(end) for end in inner))
        factors: Sequence[Any] = ()
    else:
        factors = [numbers.factor(partial, value, inner) for partial in op.slope.partials or ()]
    zero = (numbers.xp.scalar(0.0),) * 2
    slopes: list[Ends | None] = []
    squares: list[Any] = []
    for k, along in enumerate(zip(*(operand.slopes for operand in operands), strict=True)):
        moving = [slope for slope in along if slope is not None]
        if not moving:
            slopes.append(None)
            squares.append(None)
            continue
        if op.choice is not None:
            slope = numbers.chosen(truth, *(each or zero for each in along))
        else:
            slope = _chain(numbers, factors, along)
        if op.name == "sqrt" and is_norm:
            slope = numbers.within_norm(operands[0].squares[k], slope)
        slopes.append(numbers.settled(value.maybe_nan, jumps, slope, moving))
        squares.append(_squares(numbers, op, operands, k) if is_norm else None)
    return Clause(value, tuple(slopes), tuple(squares))


def _chain(numbers: Numbers, factors: Sequence[Any], along: Sequence[Ends | None]) -> Ends:
    """The sum of the terms that there are."""
    zero, total = numbers.xp.scalar(0.0), None
    for factor, slope in zip(factors, along, strict=True):
        if slope is not None and not (isinstance(factor, int) and factor == 0):
            term = numbers.term(factor, slope)
            total = term if total is None else numbers.sum(total, term)
    return (zero, zero) if total is None else total


def _squares(numbers: Numbers, op: Op, operands: Sequence[Clause], k: int) -> Any:
    if op.name == "square":
        slope = operands[0].slopes[k]
        assert slope is not None, "it changes along the input"
        return numbers.squared(slope)
    if op.name != "add":
        return None
    there = [operand.squares[k] for operand in operands if operand.squares[k] is not None]
    return there[0] if len(there) == 1 else numbers.added(*there) if there else None
