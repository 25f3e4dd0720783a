"""Sums, products and what is made of them: exact operations, and those rounded correctly.

The bounds of floats and of real numbers are one rule, over the number system of each.
"""

from __future__ import annotations

from typing import Any

from intervalvm.arith import nearest
from intervalvm.ops import rays, row
from intervalvm.ops.rays import Ray
from intervalvm.ops.row import (
    Choose,
    Demand,
    Interval,
    Names,
    Op,
    Rule,
    Slope,
    Values,
    has_zero,
    is_zero,
)

Ends = tuple[Any, Any]


# --- bounds, and where they hold ----------------------------------------------------------------


def _negative(a: Interval) -> Interval:
    return Interval(-a.upper, -a.lower, a.maybe_nan)


def _size(xp: Any, a: Interval) -> Ends:
    low, high = xp.abs(a.lower), xp.abs(a.upper)
    return xp.where(has_zero(a), 0.0, xp.lesser(low, high)), xp.greater(low, high)


def _mod(xp: Any, a: Interval, b: Interval) -> Ends:
    """[0, max(abs(b))], unless ``a`` stays within one period of a single ``b``."""
    (within, low, high), (_, size) = xp.remainders(a, b), _size(xp, b)
    return xp.where(within, low, 0.0), xp.where(within, xp.lesser(high, size), size)


def _nan_sum(xp: Any, a: Interval, b: Interval) -> Any:
    return xp.isnan(a.lower + b.upper) | xp.isnan(a.upper + b.lower)


def _nan_product(xp: Any, a: Interval, b: Interval) -> Any:
    zero_a, zero_b = has_zero(a), has_zero(b)
    return (zero_a & row.is_unbounded(xp, b)) | (zero_b & row.is_unbounded(xp, a))


def _nan_quotient(xp: Any, a: Interval, b: Interval) -> Any:
    endless = row.is_unbounded(xp, a) & row.is_unbounded(xp, b)
    return (has_zero(b) & has_zero(a)) | endless


def _nan_mod(xp: Any, a: Interval, b: Interval) -> Any:
    return has_zero(b) | row.is_unbounded(xp, a)


def _from_zero(xp: Any, _found: Any, a: Interval) -> Ends:
    return a.upper < 0.0, a.lower < 0.0


def _not_by_zero(xp: Any, _found: Any, *operands: Interval) -> Ends:
    return is_zero(operands[-1]), has_zero(operands[-1])


def _mod_continuity(xp: Any, a: Interval, b: Interval) -> Ends:
    return xp.remainders(a, b)[0], xp.fmod(a.lower, b.lower) != 0.0


# --- absorption ---------------------------------------------------------------------------------


SIGNIFICANT_BITS = {4: 24, 8: 53}
"""Those of a float, by its bytes."""


def _is_absorbed(xp: Any, b: Interval, a: Interval) -> Any:
    """Where ``a + b`` and ``a - b`` are ``a``, bit for bit, for all floats of two boxes.

    Derived, for p significant bits. Let ``2**e <= abs(a) < 2**(e + 1)`` be normal. The floats
    beside a are ``2**(e - p + 1)`` away, but on the inner side of ``abs(a) = 2**e`` half of that.
    The sum is rounded to a, without a tie, if b is less than half of the distance:

    - ``abs(a) > 2**e``: that is ``2**(e - p)``, and more than ``abs(a) * 2**(-p - 1)``;
    - ``abs(a) = 2**e``: inwards it is ``2**(e - p - 1)``, which is ``abs(a) * 2**(-p - 1)``.

    So ``abs(b) * 2**(p + 1) < abs(a)`` is enough. The product is exact or infinite. Where a is
    infinite the sum is a. Where a is subnormal only a b of 0 is so small, and ``a + 0`` is a for
    each a but 0: -0 and +0 make +0. That is excluded, since ``abs(a)`` is greater than something.
    A b of +0 is absorbed by each a but -0 in a sum, and by any in a difference.
    Where a is NaN, so is the sum; b must be none.
    """
    most = xp.greater(xp.abs(b.lower), xp.abs(b.upper)) * 2.0 ** (SIGNIFICANT_BITS[xp.itemsize] + 1)
    return ((a.lower > most) | (-a.upper > most) | is_zero(b)) & ~b.maybe_nan


def _absorbed_term(xp: Any, a: Interval, b: Interval) -> Ends:
    left_only = _is_absorbed(xp, b, a)
    return left_only, _is_absorbed(xp, a, b) & ~left_only


def _absorbed_right(xp: Any, a: Interval, b: Interval) -> Ends:
    """Where the left operand is absorbed the difference is the negative of the right one."""
    return _is_absorbed(xp, b, a), xp.no


# --- derivatives --------------------------------------------------------------------------------


def _size_slope(xp: Any, value: Any, a: Any) -> Any:
    return xp.where(a < 0, -1.0, 1.0)


def _sqrt(xp: Any, a: Any) -> Any:
    return xp.sqrt(a)


def _sqrt_slope(xp: Any, value: Any, a: Any) -> Any:
    return 0.5 / value


def _sqrt_ray(xp: Any, a: Ray) -> Ray:
    smooth = rays.smooth(_sqrt, _sqrt_slope)(xp, a)
    steep = xp.where(a.d > 0.0, xp.inf, xp.nan)
    at_zero = Ray(smooth.v, xp.where(a.d == 0.0, xp.sqrt(a.c), steep), xp.nan)
    return rays.pick(xp, xp.where(a.v == 0.0, -1.0, 1.0), at_zero, smooth)


def _mod_ray(xp: Any, a: Ray, b: Ray) -> Ray:
    """``a + n * b`` for a whole n; below 0 it wraps to the absolute value of the divisor."""
    v = nearest.remainder(xp, a.v, b.v)
    n = (v - a.v) / b.v
    rest = Ray(v, a.d + n * b.d, a.c + rays.term(xp, n, b.c))
    falls = -xp.minimum(rays.heading(xp, rest), xp.scalar(0.0))
    falls = xp.where(rest.v == 0.0, falls, 0.0)
    size = rays.size(xp, b)
    return Ray(*(p + rays.term(xp, falls, q) for p, q in zip(rest, size, strict=True)))


def _divide_one(builder: Any, operands: list[int]) -> int:
    found: int = builder.clause("div", builder.const(1.0), *operands)
    return found


# --- the rows -----------------------------------------------------------------------------------


def _row(
    name: str, operands: str, value: str, edges: str, point: Rule, temporaries: int, bounds: Rule,
    nan: Rule, domain: Rule, continuity: Rule, slope: Slope, demand: Demand, values: Values,
    names: Names, *, absorption: Choose | None = None, commutes: bool = False,
) -> Op:  # fmt: skip
    """``nan`` tells where floats may give NaN of numbers, ``bounds`` are of both meanings."""

    def floats(xp: Any, *operands: Interval) -> Interval:
        maybe = nan(xp, *operands)
        for operand in operands:
            maybe = maybe | operand.maybe_nan
        low, high = bounds(nearest.Nearest(xp), *operands)
        return Interval(low, high, maybe)

    return Op(
        name=name, operands=tuple(operands.split()), value=value, edges=edges, is_input=False,
        function=None, point=point, temporaries=temporaries, floats=floats, reals=bounds,
        domain=domain, continuity=continuity, slope=slope, choice=None,
        absorption=absorption, demand=demand, values=values, names=names,
        commutes=commutes, associates=False,
    )  # fmt: skip


def _never(xp: Any, *_operands: Interval) -> Any:
    return xp.no


ROWS = (
    _row(
        "copy", "a", "a", "", lambda xp, a: a, 0, lambda xp, a: (a.lower, a.upper),
        _never, row.everywhere, row.continuous,
        Slope((1,), rays.smooth(lambda xp, a: a, 1), None, None), Demand.SAME, Values.ANY,
        Names(("copy",), None, None, None, lambda builder, operands: operands[0]),
    ),
    _row(
        "neg", "a", "-a", "changes the sign of 0 and of infinity too",
        lambda xp, a: -a, 0, lambda xp, a: _negative(a)[:2], _never, row.everywhere, row.continuous,
        Slope((-1,), rays.neg, None, None), Demand.NEGATIVE, Values.ANY,
        Names(("negative",), "-", "negative", None, "neg"),
    ),
    _row(
        "abs", "a", "a without its sign", "", lambda xp, a: xp.abs(a), 0, _size,
        _never, row.everywhere, row.continuous,
        Slope((_size_slope,), rays.size, lambda a: a == 0, None),
        Demand.BY_SIZE, Values.NOT_NEGATIVE,
        Names(("absolute", "abs"), "abs", "absolute", "Abs", "abs"),
    ),
    _row(
        "square", "a", "a * a", "one multiplication, not a power", lambda xp, a: a * a, 0,
        lambda xp, a: xp.square(a), _never, row.everywhere, row.continuous,
        Slope((lambda xp, value, a: 2 * a,), lambda xp, a: rays.mul(xp, a, a), None, None),
        Demand.BY_SIZE, Values.NOT_NEGATIVE,
        Names(("square",), "**2", "square", None, "square"),
    ),
    _row(
        "sqrt", "a", "the square root, correctly rounded", "NaN below 0; -0 stays -0", _sqrt, 0,
        lambda xp, a: xp.square_root(a), lambda xp, a: a.lower < 0.0, _from_zero, row.continuous,
        Slope((_sqrt_slope,), _sqrt_ray, None, None), Demand.GROWS_FROM_ZERO, Values.ANY,
        Names(("sqrt",), None, "sqrt", None, "sqrt"),
    ),
    _row(
        "recip", "a", "1 / a, one division", "infinite at 0, with the sign of the zero",
        lambda xp, a: 1.0 / a, 0, lambda xp, a: xp.inverse(a), _never, _not_by_zero, row.continuous,
        Slope(
            (lambda xp, value, a: -value * value,),
            lambda xp, a: rays.div(xp, rays.flat(xp, xp.scalar(1.0)), a), None, None,
        ),
        Demand.VALUE, Values.ANY, Names(("reciprocal",), None, "reciprocal", None, _divide_one),
    ),
    _row(
        "add", "a b", "a + b", "", lambda xp, a, b: a + b, 0, lambda xp, a, b: xp.sum(a, b),
        _nan_sum, row.everywhere, row.continuous,
        Slope((1, 1), rays.smooth(lambda xp, a, b: a + b, 1, 1), None, None),
        Demand.SUM, Values.ANY,
        Names(("add",), "+", "add", None, "add"), absorption=_absorbed_term, commutes=True,
    ),
    _row(
        "sub", "a b", "a - b", "", lambda xp, a, b: a - b, 0,
        lambda xp, a, b: xp.sum(a, _negative(b)),
        lambda xp, a, b: _nan_sum(xp, a, _negative(b)), row.everywhere, row.continuous,
        Slope((1, -1), rays.smooth(lambda xp, a, b: a - b, 1, -1), None, None),
        Demand.DIFFERENCE, Values.ANY,
        Names(("subtract",), "-", "subtract", None, "sub"), absorption=_absorbed_right,
    ),
    _row(
        "mul", "a b", "a * b", "", lambda xp, a, b: a * b, 0, lambda xp, a, b: xp.product(a, b),
        _nan_product, row.everywhere, row.continuous,
        Slope((lambda xp, value, a, b: b, lambda xp, value, a, b: a), rays.mul, None, None),
        Demand.PRODUCT, Values.TRUTH_OF_TRUTHS,
        Names(("multiply",), "*", "multiply", None, "mul"), commutes=True,
    ),
    _row(
        "div", "a b", "a / b", "as IEEE 754 where b is 0", lambda xp, a, b: a / b, 0,
        lambda xp, a, b: xp.quotient(a, b), _nan_quotient, _not_by_zero, row.continuous,
        Slope(
            (lambda xp, value, a, b: 1 / b, lambda xp, value, a, b: -value / b),
            rays.div, None, None,
        ),
        Demand.QUOTIENT, Values.ANY, Names(("divide",), "/", "divide", None, "div"),
    ),
    _row(
        "mod", "a b", "the Euclidean remainder: 0 <= r < abs(b)",
        "NaN if b is 0 or a infinite; see below", nearest.remainder, 4, _mod, _nan_mod,
        _not_by_zero, _mod_continuity,
        # a is value + n * b for a whole n, which is constant between the jumps
        Slope(
            (1, lambda xp, value, a, b: (value - a) / b),
            _mod_ray, None, lambda xp, value, a, b: value == 0,
        ),
        Demand.VALUE, Values.ANY, Names(("mod",), "%", None, None, "mod"),
    ),
)  # fmt: skip
