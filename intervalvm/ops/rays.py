"""A clause along a ray from a point: its limit, its one-sided derivative, and one term more.

Along a ray from a point p, at ``p + h * e`` for small h > 0, a clause is ``v + d h + c h^2``, up to
what is smaller than the last term that is known: v is the limit from that side, d the one-sided
derivative. Each operation maps the three of its operands to its own. Which operand ``min`` takes,
or which whole number ``floor`` is, follows from the first of the three that differs. c is there for
``sqrt`` at 0: that of ``c h^2`` is ``sqrt(c) h``. NaN stands for what is not known, and c is known
through arithmetic, ``square`` and choices alone.

The same is done for directional derivatives of piecewise smooth functions in A. Griewank and
A. Walther, "Evaluating Derivatives", 2008, chapter 14.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from intervalvm.ops import ROWS
from intervalvm.ops.derivatives import DERIVATIVES, Choice, value_of


class Ray(NamedTuple):
    """``v + d h + c h^2`` for small h > 0; arrays that broadcast together."""

    v: Any
    d: Any
    c: Any


def _order(xp: Any, a: Any, b: Any, then: Any) -> Any:
    """-1, 0 or 1 as a is below, equal to or above b; ``then`` where they are equal."""
    return xp.where(a == b, then, value_of("compare", xp, a, b))


def _heading(xp: Any, a: Ray) -> Any:
    """-1, 0 or 1 as a falls, rests or rises."""
    return _order(xp, a.d, 0.0, _order(xp, a.c, 0.0, 0.0))


def _sign(xp: Any, a: Ray) -> Any:
    """-1, 0 or 1: the sign of a beside the point."""
    return _order(xp, a.v, 0.0, _heading(xp, a))


def _flat(xp: Any, v: Any) -> Ray:
    return Ray(v, xp.scalar(0.0), xp.scalar(0.0))


def _pick(xp: Any, sign: Any, a: Ray, b: Ray) -> Ray:
    """a where the sign is below 0, b elsewhere, and what is not known where it is NaN."""
    chosen = (xp.where(sign < 0, p, q) for p, q in zip(a, b, strict=True))
    return Ray(*(xp.where(xp.isnan(sign), xp.nan, part) for part in chosen))


def _term(xp: Any, factor: Any, c: Any) -> Any:
    """``factor * c``, and 0 for a factor of 0: what is not known is of a higher order."""
    return xp.where(factor == 0.0, 0.0, factor * c)


def _smooth(name: str) -> Callable[..., Ray]:
    """The rule of an operation by its derivatives; where those may change, c is not known."""

    def rule(xp: Any, *operands: Ray) -> Ray:
        partials, values = DERIVATIVES[name], [a.v for a in operands]
        assert not isinstance(partials, Choice)
        v = value_of(name, xp, *values)
        d = c = xp.scalar(0.0)
        for partial, a in zip(partials, operands, strict=True):
            factor = xp.narrow(partial if isinstance(partial, int) else partial(xp, v, *values))
            d, c = d + factor * a.d, c + _term(xp, factor, a.c)
            if not isinstance(partial, int):
                c = xp.where(a.d == 0.0, c, xp.nan)
        return Ray(v, d, c)

    return rule


def _neg(_xp: Any, a: Ray) -> Ray:
    return Ray(-a.v, -a.d, -a.c)


def _mul(xp: Any, a: Ray, b: Ray) -> Ray:
    c = _term(xp, a.v, b.c) + a.d * b.d + _term(xp, b.v, a.c)
    return Ray(a.v * b.v, a.v * b.d + b.v * a.d, c)


def _div(xp: Any, a: Ray, b: Ray) -> Ray:
    """From a, which is the product of the quotient and b."""
    v = a.v / b.v
    d = (a.d - v * b.d) / b.v
    return Ray(v, d, (a.c - d * b.d - _term(xp, v, b.c)) / b.v)


def _sqrt(xp: Any, a: Ray) -> Ray:
    smooth = _smooth("sqrt")(xp, a)
    steep = xp.where(a.d > 0.0, xp.inf, xp.nan)
    at_zero = Ray(smooth.v, xp.where(a.d == 0.0, xp.sqrt(a.c), steep), xp.nan)
    return _pick(xp, xp.where(a.v == 0.0, -1.0, 1.0), at_zero, smooth)


def _min(xp: Any, a: Ray, b: Ray) -> Ray:
    order = _order(xp, a.v, b.v, _order(xp, a.d, b.d, 0.0))
    _, d, c = _pick(xp, order, a, b)
    return Ray(xp.minimum(a.v, b.v), d, xp.where(order == 0.0, xp.minimum(a.c, b.c), c))


def _max(xp: Any, a: Ray, b: Ray) -> Ray:
    return _neg(xp, _min(xp, _neg(xp, a), _neg(xp, b)))


def _abs(xp: Any, a: Ray) -> Ray:
    return _max(xp, _neg(xp, a), a)


def _floor(xp: Any, a: Ray) -> Ray:
    v = xp.floor(a.v)
    return _flat(xp, v + xp.where(v == a.v, xp.minimum(_heading(xp, a), xp.scalar(0.0)), 0.0))


def _round(xp: Any, a: Ray) -> Ray:
    """Half away from zero: what heads for zero from a half comes to the whole number before."""
    v, heading = value_of("round", xp, a.v), _heading(xp, a)
    is_half = xp.abs(a.v - xp.trunc(a.v)) == 0.5
    step = xp.where(
        a.v < 0.0, xp.maximum(heading, xp.scalar(0.0)), xp.minimum(heading, xp.scalar(0.0))
    )
    return _flat(xp, v + xp.where(is_half, step, 0.0))


def _mod(xp: Any, a: Ray, b: Ray) -> Ray:
    """``a + n * b`` for a whole n. What falls from 0 goes on from the size of the divisor."""
    v = value_of("mod", xp, a.v, b.v)
    n = (v - a.v) / b.v
    rest = Ray(v, a.d + n * b.d, a.c + _term(xp, n, b.c))
    falls = xp.where(rest.v == 0.0, -xp.minimum(_heading(xp, rest), xp.scalar(0.0)), 0.0)
    return Ray(*(p + _term(xp, falls, q) for p, q in zip(rest, _abs(xp, b), strict=True)))


def _compare(xp: Any, a: Ray, b: Ray) -> Ray:
    by_c = _order(xp, a.c, b.c, 0.0)
    return _flat(xp, _order(xp, a.v, b.v, _order(xp, a.d, b.d, by_c)))


def _not(xp: Any, a: Ray) -> Ray:
    sign = _sign(xp, a)
    return _flat(xp, xp.where(xp.isnan(sign), sign, value_of("not", xp, sign)))


def _noise(name: str) -> Callable[..., Ray]:
    def rule(xp: Any, *operands: Ray) -> Ray:
        v = value_of(name, xp, *(a.v for a in operands))
        for a in operands:
            v = xp.where(_heading(xp, a) == 0.0, v, xp.nan)
        return _flat(xp, v)

    return rule


def _and(xp: Any, a: Ray, b: Ray) -> Ray:
    return _pick(xp, abs(_sign(xp, a)) - 0.5, a, b)


def _or(xp: Any, a: Ray, b: Ray) -> Ray:
    return _pick(xp, 0.5 - abs(_sign(xp, a)), a, b)


RULES: dict[str, Callable[..., Ray]] = {
    **{op.name: _smooth(op.name) for op in ROWS if op.arity and not op.has_choice},
    "neg": _neg,
    "abs": _abs,
    "square": lambda xp, a: _mul(xp, a, a),
    "sqrt": _sqrt,
    "recip": lambda xp, a: _div(xp, _flat(xp, xp.scalar(1.0)), a),
    "floor": _floor,
    "ceil": lambda xp, a: _neg(xp, _floor(xp, _neg(xp, a))),
    "round": _round,
    "not": _not,
    "rand": _noise("rand"),
    "mul": _mul,
    "div": _div,
    "min": _min,
    "max": _max,
    "mod": _mod,
    "compare": _compare,
    "and": _and,
    "or": _or,
    "mix": _noise("mix"),
}
"""Each operation's ray from those of its operands."""
