"""Sums, products and what is made of them: exact operations, and those rounded correctly.

Rounding to nearest is monotone, so evaluating the end points of a box with the same rounding as the
points bounds all float results.
"""

from __future__ import annotations

from typing import Any

from intervalvm.arith import nearest
from intervalvm.arith.directed import DOWN, UP
from intervalvm.ops import rays
from intervalvm.ops.rays import Ray
from intervalvm.ops.row import (
    Demand,
    Interval,
    Names,
    Op,
    Slope,
    Values,
    bounds_of,
    continuous,
    everywhere,
    has_zero,
    is_unbounded,
    is_zero,
)


def _copy(_xp: Any, a: Interval) -> Interval:
    return a


def _neg(_xp: Any, a: Interval) -> Interval:
    return Interval(-a.upper, -a.lower, a.maybe_nan)


def _size(xp: Any, a: Interval) -> Interval:
    low, high = xp.abs(a.lower), xp.abs(a.upper)
    lower = xp.where(has_zero(a), 0.0, xp.lesser(low, high))
    return Interval(lower, xp.greater(low, high), a.maybe_nan)


# --- what floats compute ------------------------------------------------------------------------


def _square(xp: Any, a: Interval) -> Interval:
    low, high = a.lower * a.lower, a.upper * a.upper
    lower = xp.where(has_zero(a), 0.0, xp.lesser(low, high))
    return Interval(lower, xp.greater(low, high), a.maybe_nan)


def _sqrt(xp: Any, a: Interval) -> Interval:
    low, high = (xp.sqrt(xp.greater(bound, 0.0)) for bound in (a.lower, a.upper))
    return Interval(low, high, a.maybe_nan | (a.lower < 0.0))


def _recip(xp: Any, a: Interval) -> Interval:
    # a bound of 0 may stand for either zero, so 1/0 may be either infinity
    zero, low, high = has_zero(a), 1.0 / a.upper, 1.0 / a.lower
    return Interval(xp.where(zero, -xp.inf, low), xp.where(zero, xp.inf, high), a.maybe_nan)


def _add(xp: Any, a: Interval, b: Interval) -> Interval:
    low, high = a.lower + b.lower, a.upper + b.upper
    nan = xp.isnan(a.lower + b.upper) | xp.isnan(a.upper + b.lower)
    return Interval(
        xp.where(xp.isnan(low), -xp.inf, low),
        xp.where(xp.isnan(high), xp.inf, high),
        a.maybe_nan | b.maybe_nan | nan,
    )


def _sub(xp: Any, a: Interval, b: Interval) -> Interval:
    return _add(xp, a, _neg(xp, b))


def _mul(xp: Any, a: Interval, b: Interval) -> Interval:
    nan = (has_zero(a) & is_unbounded(xp, b)) | (has_zero(b) & is_unbounded(xp, a))
    return Interval(*nearest.products(xp, a, b), a.maybe_nan | b.maybe_nan | nan)


def _div(xp: Any, a: Interval, b: Interval) -> Interval:
    nan = (has_zero(b) & has_zero(a)) | (is_unbounded(xp, a) & is_unbounded(xp, b))
    return Interval(*nearest.quotients(xp, a, b), a.maybe_nan | b.maybe_nan | nan)


def _mod(xp: Any, a: Interval, b: Interval) -> Interval:
    """[0, max(abs(b))], but where ``a`` stays within one period of a single ``b``."""
    within, low, high = nearest.remainders(xp, a, b)
    nan = a.maybe_nan | b.maybe_nan | has_zero(b) | is_unbounded(xp, a)
    upper = xp.where(within, high, _size(xp, b).upper)
    return Interval(xp.where(within, low, 0.0), upper, nan)


# --- the real functions -------------------------------------------------------------------------


def _square_reals(xp: Any, a: Interval) -> tuple[Any, Any]:
    size = _size(xp, a)
    return xp.square(DOWN, size.lower), xp.square(UP, size.upper)


def _sqrt_reals(xp: Any, a: Interval) -> tuple[Any, Any]:
    low, high = (xp.greater(bound, 0.0) for bound in (a.lower, a.upper))
    return xp.root(DOWN, low), xp.root(UP, high)


def _recip_reals(xp: Any, a: Interval) -> tuple[Any, Any]:
    one = xp.scalar(1.0)
    return xp.quotient(Interval(one, one, xp.no), a)  # type: ignore[no-any-return]


def _add_reals(xp: Any, a: Interval, b: Interval) -> tuple[Any, Any]:
    return xp.add(DOWN, a.lower, b.lower), xp.add(UP, a.upper, b.upper)


def _mod_reals(xp: Any, a: Interval, b: Interval) -> tuple[Any, Any]:
    size = _size(xp, b)
    within, low, high = xp.remainders(a, b)
    upper = xp.where(within, xp.lesser(high, size.upper), size.upper)
    return xp.where(within, low, 0.0), upper


def _from_zero(xp: Any, _found: Any, a: Interval) -> tuple[Any, Any]:
    return a.upper < 0.0, a.lower < 0.0


def _not_by_zero(xp: Any, _found: Any, *operands: Interval) -> tuple[Any, Any]:
    return is_zero(operands[-1]), has_zero(operands[-1])


def _mod_continuity(xp: Any, a: Interval, b: Interval) -> tuple[Any, Any]:
    return xp.remainders(a, b)[0], xp.fmod(a.lower, b.lower) != 0.0


# --- derivatives --------------------------------------------------------------------------------


def _sqrt_ray(xp: Any, a: Ray) -> Ray:
    smooth = rays.smooth(_root, _root_slope)(xp, a)
    steep = xp.where(a.d > 0.0, xp.inf, xp.nan)
    at_zero = Ray(smooth.v, xp.where(a.d == 0.0, xp.sqrt(a.c), steep), xp.nan)
    return rays.pick(xp, xp.where(a.v == 0.0, -1.0, 1.0), at_zero, smooth)


def _root(xp: Any, a: Any) -> Any:
    return xp.sqrt(a)


def _root_slope(xp: Any, value: Any, a: Any) -> Any:
    return 0.5 / value


def _mod_ray(xp: Any, a: Ray, b: Ray) -> Ray:
    """``a + n * b`` for a whole n. What falls from 0 goes on from the size of the divisor."""
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


EXACT: dict[str, Any] = {
    "is_input": False, "function": None, "temporaries": 0, "domain": everywhere,
    "continuity": continuous, "choice": None,
}  # fmt: skip
"""What most of these have in common."""

ROWS = (
    Op(
        name="copy", operands=("a",), value="a", edges="",
        point=lambda xp, a: a, floats=_copy, reals=bounds_of(_copy),
        slope=Slope(partials=(1,), ray=rays.smooth(lambda xp, a: a, 1), kinks=None, jumps=None),
        demand=Demand.SAME, values=Values.ANY,
        names=Names(
            python=("copy",), operator=None, numpy=None, sympy=None,
            fidget=lambda builder, operands: operands[0],
        ),
        **EXACT,
    ),
    Op(
        name="neg", operands=("a",), value="-a",
        edges="changes the sign of 0 and of infinity too",
        point=lambda xp, a: -a, floats=_neg, reals=bounds_of(_neg),
        slope=Slope(partials=(-1,), ray=rays.neg, kinks=None, jumps=None),
        demand=Demand.NEGATIVE, values=Values.ANY,
        names=Names(
            python=("negative",), operator="-", numpy="negative", sympy=None, fidget="neg"
        ),
        **EXACT,
    ),
    Op(
        name="abs", operands=("a",), value="a without its sign", edges="",
        point=lambda xp, a: xp.abs(a), floats=_size, reals=bounds_of(_size),
        slope=Slope(
            partials=(lambda xp, value, a: xp.where(a < 0, -1.0, 1.0),),
            ray=rays.size, kinks=lambda a: a == 0, jumps=None,
        ),
        demand=Demand.BY_SIZE, values=Values.NOT_NEGATIVE,
        names=Names(
            python=("absolute", "abs"), operator="abs", numpy="absolute", sympy="Abs", fidget="abs"
        ),
        **EXACT,
    ),
    Op(
        name="square", operands=("a",), value="a * a",
        edges="one multiplication, not a power",
        point=lambda xp, a: a * a, floats=_square, reals=_square_reals,
        slope=Slope(
            partials=(lambda xp, value, a: 2 * a,),
            ray=lambda xp, a: rays.mul(xp, a, a), kinks=None, jumps=None,
        ),
        demand=Demand.BY_SIZE, values=Values.NOT_NEGATIVE,
        names=Names(
            python=("square",), operator="**2", numpy="square", sympy=None, fidget="square"
        ),
        **EXACT,
    ),
    Op(
        name="sqrt", operands=("a",), value="the square root, correctly rounded",
        edges="NaN below 0; -0 stays -0",
        point=_root, floats=_sqrt, reals=_sqrt_reals,
        slope=Slope(partials=(_root_slope,), ray=_sqrt_ray, kinks=None, jumps=None),
        demand=Demand.GROWS_FROM_ZERO, values=Values.ANY,
        names=Names(python=("sqrt",), operator=None, numpy="sqrt", sympy=None, fidget="sqrt"),
        **EXACT | {"domain": _from_zero},
    ),
    Op(
        name="recip", operands=("a",), value="1 / a, one division",
        edges="infinite at 0, with the sign of the zero",
        point=lambda xp, a: 1.0 / a, floats=_recip, reals=_recip_reals,
        slope=Slope(
            partials=(lambda xp, value, a: -value * value,),
            ray=lambda xp, a: rays.div(xp, rays.flat(xp, xp.scalar(1.0)), a),
            kinks=None, jumps=None,
        ),
        demand=Demand.VALUE, values=Values.ANY,
        names=Names(
            python=("reciprocal",), operator=None, numpy="reciprocal", sympy=None,
            fidget=_divide_one,
        ),
        **EXACT | {"domain": _not_by_zero},
    ),
    Op(
        name="add", operands=("a", "b"), value="a + b", edges="",
        point=lambda xp, a, b: a + b, floats=_add, reals=_add_reals,
        slope=Slope(
            partials=(1, 1), ray=rays.smooth(lambda xp, a, b: a + b, 1, 1), kinks=None, jumps=None
        ),
        demand=Demand.SUM, values=Values.ANY,
        names=Names(python=("add",), operator="+", numpy="add", sympy=None, fidget="add"),
        **EXACT,
    ),
    Op(
        name="sub", operands=("a", "b"), value="a - b", edges="",
        point=lambda xp, a, b: a - b, floats=_sub,
        reals=lambda xp, a, b: _add_reals(xp, a, _neg(xp, b)),
        slope=Slope(
            partials=(1, -1), ray=rays.smooth(lambda xp, a, b: a - b, 1, -1), kinks=None, jumps=None
        ),
        demand=Demand.DIFFERENCE, values=Values.ANY,
        names=Names(
            python=("subtract",), operator="-", numpy="subtract", sympy=None, fidget="sub"
        ),
        **EXACT,
    ),
    Op(
        name="mul", operands=("a", "b"), value="a * b", edges="",
        point=lambda xp, a, b: a * b, floats=_mul, reals=lambda xp, a, b: xp.product(a, b),
        slope=Slope(
            partials=(lambda xp, value, a, b: b, lambda xp, value, a, b: a),
            ray=rays.mul, kinks=None, jumps=None,
        ),
        demand=Demand.PRODUCT, values=Values.TRUTH_OF_TRUTHS,
        names=Names(
            python=("multiply",), operator="*", numpy="multiply", sympy=None, fidget="mul"
        ),
        **EXACT,
    ),
    Op(
        name="div", operands=("a", "b"), value="a / b", edges="as IEEE 754 where b is 0",
        point=lambda xp, a, b: a / b, floats=_div, reals=lambda xp, a, b: xp.quotient(a, b),
        slope=Slope(
            partials=(lambda xp, value, a, b: 1 / b, lambda xp, value, a, b: -value / b),
            ray=rays.div, kinks=None, jumps=None,
        ),
        demand=Demand.QUOTIENT, values=Values.ANY,
        names=Names(python=("divide",), operator="/", numpy="divide", sympy=None, fidget="div"),
        **EXACT | {"domain": _not_by_zero},
    ),
    Op(
        name="mod", operands=("a", "b"), value="the Euclidean remainder: 0 <= r < abs(b)",
        edges="NaN if b is 0 or a infinite; see below",
        point=nearest.remainder, floats=_mod, reals=_mod_reals,
        slope=Slope(
            # a is value + n * b for a whole n, which is constant between the jumps
            partials=(1, lambda xp, value, a, b: (value - a) / b),
            ray=_mod_ray, kinks=None, jumps=lambda xp, value, a, b: value == 0,
        ),
        demand=Demand.VALUE, values=Values.ANY,
        names=Names(python=("mod",), operator="%", numpy=None, sympy=None, fidget="mod"),
        **EXACT | {"temporaries": 4, "domain": _not_by_zero, "continuity": _mod_continuity},
    ),
)  # fmt: skip
