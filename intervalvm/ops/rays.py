"""One-sided second-order Taylor expansions of clauses, along a ray from a point.

Along a ray from a point p, at ``p + h * e`` for small h > 0, a clause is ``v + d h + c h^2`` up to
higher order: v is the limit, d the one-sided derivative. Each operation maps the coefficients of
its operands to its own. The operand of ``min``, or the integer of ``floor``, follows from the first
coefficient that differs. c is needed for ``sqrt`` at 0: that of ``c h^2`` is ``sqrt(c) h``. NaN is
unknown; c is known through arithmetic, ``square`` and choices only.

A. Griewank and A. Walther, "Evaluating Derivatives", 2008, chapter 14, treat directional
derivatives of piecewise smooth functions in this way.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from intervalvm.ops.row import Partial, Rule


class Ray(NamedTuple):
    """``v + d h + c h^2`` for small h > 0; arrays that broadcast together."""

    v: Any
    d: Any
    c: Any


def sign_of(xp: Any, a: Any, b: Any) -> Any:
    """-1, 0 or 1 as a is below, equal to or above b; NaN if either is."""
    ordered = xp.where(a < b, -1.0, xp.where(a > b, 1.0, 0.0))
    return xp.where(xp.isnan(a) | xp.isnan(b), xp.nan, ordered)


def order(xp: Any, a: Any, b: Any, then: Any) -> Any:
    """-1, 0 or 1 as a is below, equal to or above b; ``then`` where they are equal."""
    return xp.where(a == b, then, sign_of(xp, a, b))


def heading(xp: Any, a: Ray) -> Any:
    """-1, 0 or 1 as a decreases, is constant or increases."""
    return order(xp, a.d, 0.0, order(xp, a.c, 0.0, 0.0))


def sign(xp: Any, a: Ray) -> Any:
    """-1, 0 or 1: the sign of a near the point."""
    return order(xp, a.v, 0.0, heading(xp, a))


TOLERANCE = {4: 2.0**-11.5, 8: 2.0**-26}
"""The square root of a float's epsilon, by its bytes: slopes that differ by less are equal."""


def is_same(xp: Any, a: Any, b: Any, size: Any = 0.0) -> Any:
    """Whether two slopes are equal up to the rounding errors of terms of some size."""
    largest = xp.maximum(xp.maximum(xp.abs(a), xp.abs(b)), xp.scalar(size))
    return xp.abs(a - b) <= xp.scalar(TOLERANCE[xp.itemsize]) * largest


def flat(xp: Any, v: Any) -> Ray:
    return Ray(v, xp.scalar(0.0), xp.scalar(0.0))


def pick(xp: Any, sign: Any, a: Ray, b: Ray) -> Ray:
    """a where the sign is negative, else b; unknown where it is NaN."""
    chosen = (xp.where(sign < 0, p, q) for p, q in zip(a, b, strict=True))
    return Ray(*(xp.where(xp.isnan(sign), xp.nan, part) for part in chosen))


def term(xp: Any, factor: Any, c: Any) -> Any:
    """``factor * c``, and 0 for a factor of 0, even if c is unknown."""
    return xp.where(factor == 0.0, 0.0, factor * c)


def smooth(point: Rule, *partials: Partial) -> Rule:
    """The rule of an operation by its derivatives; c is unknown where they are not constant."""

    def rule(xp: Any, *operands: Ray) -> Ray:
        values = [a.v for a in operands]
        v = point(xp, *values)
        d = c = xp.scalar(0.0)
        for partial, a in zip(partials, operands, strict=True):
            factor = xp.narrow(partial if isinstance(partial, int) else partial(xp, v, *values))
            d, c = d + factor * a.d, c + term(xp, factor, a.c)
            if not isinstance(partial, int):
                c = xp.where(a.d == 0.0, c, xp.nan)
        return Ray(v, d, c)

    return rule


def neg(_xp: Any, a: Ray) -> Ray:
    return Ray(-a.v, -a.d, -a.c)


def mul(xp: Any, a: Ray, b: Ray) -> Ray:
    c = term(xp, a.v, b.c) + a.d * b.d + term(xp, b.v, a.c)
    return Ray(a.v * b.v, a.v * b.d + b.v * a.d, c)


def div(xp: Any, a: Ray, b: Ray) -> Ray:
    """From a, which is the product of the quotient and b."""
    v = a.v / b.v
    d = (a.d - v * b.d) / b.v
    return Ray(v, d, (a.c - d * b.d - term(xp, v, b.c)) / b.v)


def minimum(xp: Any, a: Ray, b: Ray) -> Ray:
    by_size = order(xp, a.v, b.v, order(xp, a.d, b.d, 0.0))
    _, d, c = pick(xp, by_size, a, b)
    return Ray(xp.minimum(a.v, b.v), d, xp.where(by_size == 0.0, xp.minimum(a.c, b.c), c))


def maximum(xp: Any, a: Ray, b: Ray) -> Ray:
    return neg(xp, minimum(xp, neg(xp, a), neg(xp, b)))


def size(xp: Any, a: Ray) -> Ray:
    return maximum(xp, neg(xp, a), a)


def of_bits(point: Rule) -> Rule:
    """The rule of an operation that jumps everywhere: known for constant operands only."""

    def rule(xp: Any, *operands: Ray) -> Ray:
        v = point(xp, *(a.v for a in operands))
        for a in operands:
            v = xp.where(heading(xp, a) == 0.0, v, xp.nan)
        return flat(xp, v)

    return rule
