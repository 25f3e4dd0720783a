"""Far away: bounds of a tape over all that lies beyond a cube, as powers of the distance.

Plain intervals know nothing there: ``x - y`` may be anything once x and y have no end. Yet along
rays from the origin the fields of shapes grow like powers of the distance. So every clause is
bounded by *monomials* ``m * r**p`` of the distance r, which hold for each r from a radius on:
``x * 0.8 - y * 0.6`` over the rays between two directions lies between two multiples of r, and
what is multiplied, squared, or a root stays of this kind. The distance is that of the greatest
coordinate, so the rays of a side of the cube have one coordinate that is r, or -r, and others that
are multiples of it.

Operations that are not in ``RULES`` have the bounds of their row, over all values together.
Numbers are rounded outwards; radii are powers of 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from intervalvm.arith.arrays import MAX_WIDE, IntervalArrays
from intervalvm.arith.nearest import NextFloat
from intervalvm.ops import AXES, OPS, ROWS
from intervalvm.ops.row import Interval
from intervalvm.tape import Tape
from intervalvm.tape.liveness import dying

WIDE = np.dtype(np.float64)
TINY = float(np.finfo(WIDE).smallest_subnormal)
AXIS = {op: axis for axis, op in AXES.items()}
POWER_ERROR = 2.0**-50
"""More than the relative error of ``exp2``."""


class Monomial(NamedTuple):
    """``m * r**p`` for each r from a radius on; arrays that broadcast."""

    m: Any
    p: Any


class Span(NamedTuple):
    """The monomials between which a value lies."""

    lower: Monomial
    upper: Monomial


ZERO = Monomial(np.zeros(1), np.zeros(1))


class Far:
    """Arithmetic of spans beyond radii ``2**radius``, an integer or an array of them."""

    def __init__(self, radius: Any) -> None:
        self.radius = np.asarray(radius, np.float64)
        self.system = NextFloat(IntervalArrays(WIDE))

    def negative(self, a: Span) -> Span:
        return Span(_negative(a.upper), _negative(a.lower))

    def sum(self, a: Span, b: Span) -> Span:
        upper = self._least_sum(_negative(a.upper), _negative(b.upper))
        return Span(self._least_sum(a.lower, b.lower), _negative(upper))

    def difference(self, a: Span, b: Span) -> Span:
        return self.sum(a, self.negative(b))

    def product(self, a: Span, b: Span) -> Span:
        ends = [(f, g) for f in _ends(a) for g in _ends(b)]
        lows, highs = ([_times(f, g, way) for f, g in ends] for way in (_down, _up))
        return self._hull(lows, highs)

    def square(self, a: Span) -> Span:
        size = self.size(a)
        return Span(_times(size.lower, size.lower, _down), _times(size.upper, size.upper, _up))

    def size(self, a: Span) -> Span:
        back = self.negative(a)
        most = _negative(self._below(_negative(a.upper), _negative(back.upper)))
        is_up, is_down = a.lower.m >= 0.0, a.upper.m <= 0.0
        return Span(
            _where(is_up, a.lower, _where(is_down, back.lower, ZERO)),
            _where(is_up, a.upper, _where(is_down, back.upper, most)),
        )

    def root(self, a: Span) -> Span:
        low, high = (np.sqrt(np.maximum(end.m, 0.0)) for end in a)
        return Span(Monomial(_down(low), a.lower.p * 0.5), Monomial(_up(high), a.upper.p * 0.5))

    def inverse(self, a: Span) -> Span:
        has_sign = (a.lower.m > 0.0) | (a.upper.m < 0.0)
        low, high = _down(1.0 / a.upper.m), _up(1.0 / a.lower.m)
        return Span(
            Monomial(np.where(has_sign, low, -np.inf), np.where(has_sign, -a.upper.p, 0.0)),
            Monomial(np.where(has_sign, high, np.inf), np.where(has_sign, -a.lower.p, 0.0)),
        )

    def quotient(self, a: Span, b: Span) -> Span:
        return self.product(a, self.inverse(b))

    def lesser(self, a: Span, b: Span) -> Span:
        return Span(self._below(a.lower, b.lower), _lesser(a.upper, b.upper))

    def greater(self, a: Span, b: Span) -> Span:
        return self.negative(self.lesser(self.negative(a), self.negative(b)))

    def angle(self, y: Span, x: Span) -> Span:
        """That of a direction, where both coordinates grow alike."""
        ends = [*y, *x]
        power = np.maximum.reduce([np.where(end.m == 0.0, -np.inf, end.p) for end in ends])
        alike = np.logical_and.reduce([(end.m == 0.0) | (end.p == power) for end in ends])
        sides = []
        for a in (y, x):
            whole = self._plain(a)
            low = np.where(alike, a.lower.m, whole.lower)
            sides.append(Interval(low, np.where(alike, a.upper.m, whole.upper), np.False_))
        return self._by_row("atan2", *sides)

    def other(self, name: str, *operands: Span) -> Span:
        """An operation by the bounds of its row."""
        return self._by_row(name, *map(self._plain, operands))

    def _by_row(self, name: str, *operands: Interval) -> Span:
        lower, upper = map(np.asarray, OPS[name].reals(self.system, *operands))
        unknown = np.isnan(lower) | np.isnan(upper)
        return constant(np.where(unknown, -np.inf, lower), np.where(unknown, np.inf, upper))

    def _plain(self, a: Span) -> Interval:
        """Bounds of the values at all distances together."""
        return Interval(self._least(a.lower), -self._least(_negative(a.upper)), np.False_)

    def _least(self, f: Monomial) -> Any:
        """The infimum: at the radius if the monomial grows, else in the limit."""
        is_negative = f.m < 0.0
        here = self._scaled(f, f.p, np.where(is_negative, 1.0, -1.0))
        grows = np.where(is_negative, f.p < 0.0, f.p > 0.0)
        limit = np.where(is_negative, -np.inf, 0.0)
        return np.where((f.p == 0.0) | (f.m == 0.0), f.m, np.where(grows, here, limit))

    def _hull(self, lows: Sequence[Monomial], highs: Sequence[Monomial]) -> Span:
        least, most = lows[0], _negative(highs[0])
        for low, high in zip(lows[1:], highs[1:], strict=True):
            least, most = self._below(least, low), self._below(most, _negative(high))
        return Span(least, _negative(most))

    def _below(self, f: Monomial, g: Monomial) -> Monomial:
        """A monomial that is nowhere above either.

        Of two that are negative it grows like the faster one, of two others like the slower one:
        for r from the radius on, ``r**p >= radius**(p - q) * r**q`` if p >= q.
        """
        if _alike(f, g):
            return Monomial(np.minimum(f.m, g.m), f.p)
        both = (f.m < 0.0) & (g.m < 0.0)
        p = np.where(both, np.maximum(f.p, g.p), np.minimum(f.p, g.p))
        way = np.where(both, 1.0, -1.0)
        m = np.minimum(*(self._scaled(each, each.p - p, way) for each in (f, g)))
        mixed = (f.m < 0.0) != (g.m < 0.0)
        return _where(mixed, _where(f.m < 0.0, f, g), Monomial(m, p))

    def _least_sum(self, f: Monomial, g: Monomial) -> Monomial:
        """A monomial that is not above the sum: of what grows slower no gain is taken."""
        if _alike(f, g):
            return Monomial(_not_nan(_down(f.m + g.m)), f.p)
        is_first = f.p >= g.p
        fast, slow = _where(is_first, f, g), _where(is_first, g, f)
        power = slow.p - fast.p
        loss = Monomial(np.minimum(slow.m, 0.0), slow.p)
        term = np.where(power == 0.0, slow.m, self._scaled(loss, power, 1.0))
        total = fast.m + term
        exact = (fast.m == 0.0) | (term == 0.0)
        total = _not_nan(np.where(exact, total, _down(total)))
        return _where(fast.m == 0.0, slow, Monomial(total, fast.p))

    def _scaled(self, f: Monomial, power: Any, way: Any) -> Any:
        """``f.m * radius**power`` rounded down; the power is rounded up where ``way`` is 1, down
        where it is -1."""
        exponent = self.radius * power
        factor = np.exp2(exponent) * (1.0 + way * POWER_ERROR)
        factor = np.where(way > 0.0, np.maximum(factor, TINY), np.minimum(factor, MAX_WIDE))
        scaled = _down(_product(f.m, factor))
        return np.where((exponent == 0.0) | (f.m == 0.0), f.m, scaled)


def constant(lower: Any, upper: Any) -> Span:
    """What lies between two numbers at all distances."""
    ends = [np.atleast_1d(end) for end in (lower, upper)]
    return Span(*(Monomial(end, np.zeros_like(end)) for end in ends))


def _number(value: float) -> Span:
    """One that is not finite is no real number: nothing is known of it."""
    if not np.isfinite(value):
        return constant(-np.inf, np.inf)
    exact = constant(value, value).lower
    return Span(exact, exact)


def _ends(a: Span) -> tuple[Monomial, ...]:
    """One of a number."""
    return (a.lower,) if a.lower is a.upper else a


def _negative(f: Monomial) -> Monomial:
    return Monomial(-f.m, f.p)


def _where(condition: Any, f: Monomial, g: Monomial) -> Monomial:
    return Monomial(np.where(condition, f.m, g.m), np.where(condition, f.p, g.p))


def _lesser(f: Monomial, g: Monomial) -> Monomial:
    """The one that is less in the end."""
    if _alike(f, g):
        return Monomial(np.minimum(f.m, g.m), f.p)
    signs = np.sign(f.m), np.sign(g.m)
    slower = np.where(f.m < 0.0, f.p > g.p, f.p < g.p)
    less = np.where(f.p == g.p, f.m < g.m, slower)
    return _where(np.where(signs[0] == signs[1], less, signs[0] < signs[1]), f, g)


def _alike(f: Monomial, g: Monomial) -> bool:
    """Whether they have the same powers, as most have."""
    return f.p is g.p or not np.any(f.p != g.p)


def _not_nan(a: Any) -> Any:
    """``inf - inf`` tells nothing: -inf."""
    return np.where(np.isnan(a), -np.inf, a)


def _times(f: Monomial, g: Monomial, outwards: Callable[[Any], Any]) -> Monomial:
    is_zero = (f.m == 0.0) | (g.m == 0.0)
    return Monomial(np.where(is_zero, 0.0, outwards(_product(f.m, g.m))), f.p + g.p)


def _product(a: Any, b: Any) -> Any:
    """Of numbers that are not 0: it has their sign, where it is too small as well."""
    found = a * b
    return np.where(found == 0.0, np.copysign(TINY, found), found)


def _down(a: Any) -> Any:
    """The next float below: not below 0 for what is not negative."""
    return np.where(a == 0.0, a, np.nextafter(a, -np.inf))


def _up(a: Any) -> Any:
    return -_down(-a)


RULES: dict[str, Callable[..., Span]] = {
    "copy": lambda _, a: a, "neg": Far.negative, "abs": Far.size, "square": Far.square,
    "sqrt": Far.root, "recip": Far.inverse, "add": Far.sum, "sub": Far.difference,
    "mul": Far.product, "div": Far.quotient, "min": Far.lesser, "max": Far.greater,
    "atan2": Far.angle,
}  # fmt: skip
"""The operations under which powers of the distance stay such, by name."""


def far_bounds(tape: Tape, far: Far, axes: Mapping[str, Span], fixed: Mapping[str, float]) -> Span:
    """Bounds of the real function of a tape: ``axes`` are the coordinates that go far, by name,
    ``fixed`` the other inputs."""
    inputs = {**{name: _number(value) for name, value in fixed.items()}, **axes}
    values: list[Any] = []
    with np.errstate(all="ignore"):
        for i, gone in enumerate(dying(tape)):
            values.append(_clause(tape, far, i, values, inputs))
            for k in gone:
                values[k] = None
    root: Span = values[-1]
    return root


def _clause(
    tape: Tape, far: Far, i: int, values: Sequence[Span], inputs: Mapping[str, Span]
) -> Span:
    op = ROWS[tape.codes[i]]
    if op.name == "const":
        return _number(tape.wide[i])
    if op.is_input:
        return inputs[tape.variables[tape.left[i]] if op.name == "var" else AXIS[op.name]]
    operands = [values[k] for k in tape.operands(i)]
    rule = RULES.get(op.name)
    return far.other(op.name, *operands) if rule is None else rule(far, *operands)
