"""Operations whose values are whole numbers: constant between their jumps."""

from __future__ import annotations

from typing import Any

from intervalvm.ops import rays, row
from intervalvm.ops.rays import Ray
from intervalvm.ops.row import Demand, Interval, Names, Op, Rule, Slope, Values, has_zero, is_zero


def _round(xp: Any, a: Any) -> Any:
    """Ties away from zero. ``a - trunc(a)`` is exact; at infinity NaN, which is not >= 0.5."""
    whole = xp.trunc(a)
    return xp.where(xp.abs(a - whole) >= 0.5, whole + xp.copysign(1.0, a), whole)


def _is_half(xp: Any, a: Any) -> Any:
    return xp.abs(a - xp.trunc(a)) == 0.5


def _floor_ray(xp: Any, a: Ray) -> Ray:
    v = xp.floor(a.v)
    falls = xp.minimum(rays.heading(xp, a), xp.scalar(0.0))
    return rays.flat(xp, v + xp.where(v == a.v, falls, 0.0))


def _round_ray(xp: Any, a: Ray) -> Ray:
    """Approached from zero's side, a half rounds toward zero."""
    zero, heading = xp.scalar(0.0), rays.heading(xp, a)
    step = xp.where(a.v < 0.0, xp.maximum(heading, zero), xp.minimum(heading, zero))
    return rays.flat(xp, _round(xp, a.v) + xp.where(_is_half(xp, a.v), step, 0.0))


def _rounding(
    name: str, value: str, edges: str, point: Rule, temporaries: int, is_jump: Rule, ray: Rule,
    names: Names,
) -> Op:  # fmt: skip
    """A nondecreasing function with jumps where ``is_jump(xp, a)``."""

    def floats(xp: Any, a: Interval) -> Interval:
        return Interval(point(xp, a.lower), point(xp, a.upper), a.maybe_nan)

    def continuity(xp: Any, a: Interval) -> tuple[Any, Any]:
        flat = floats(xp, a)
        return flat.lower == flat.upper, ~(is_jump(xp, a.lower) | is_jump(xp, a.upper))

    return Op(
        name=name, operands=("a",), value=value, edges=edges, is_input=False, function=None,
        point=point, temporaries=temporaries,
        floats=floats, reals=row.bounds_of(floats), domain=row.everywhere, continuity=continuity,
        slope=Slope((0,), ray, None, lambda xp, value, a: is_jump(xp, a)),
        choice=None, absorption=None, demand=Demand.GROWS, values=Values.WHOLE, names=names,
        commutes=False, associates=False,
    )  # fmt: skip


def _not(xp: Any, a: Interval) -> Interval:
    always = is_zero(a) & ~a.maybe_nan
    return Interval(
        xp.where(always, 1.0, 0.0), xp.where(has_zero(a), 1.0, 0.0), xp.no & a.maybe_nan
    )


def _not_ray(xp: Any, a: Ray) -> Ray:
    sign = rays.sign(xp, a)
    return rays.flat(xp, xp.where(xp.isnan(sign), sign, xp.where(sign == 0.0, 1.0, 0.0)))


def zero_continuity(xp: Any, a: Interval, *_others: Interval) -> tuple[Any, Any]:
    """The continuity of operations that test whether ``a`` is 0."""
    return ~has_zero(a) | is_zero(a), ~has_zero(a)


def _compare(xp: Any, a: Interval, b: Interval) -> Interval:
    low = xp.where(a.lower < b.upper, -1.0, xp.where(a.lower > b.upper, 1.0, 0.0))
    high = xp.where(a.upper > b.lower, 1.0, xp.where(a.upper < b.lower, -1.0, 0.0))
    return Interval(low, high, a.maybe_nan | b.maybe_nan)


def _compare_continuity(xp: Any, a: Interval, b: Interval) -> tuple[Any, Any]:
    apart = (a.upper < b.lower) | (a.lower > b.upper)
    one_tie = (a.lower == a.upper) & (b.lower == b.upper)
    return apart | one_tie, apart


def _compare_ray(xp: Any, a: Ray, b: Ray) -> Ray:
    by_c = rays.order(xp, a.c, b.c, 0.0)
    return rays.flat(xp, rays.order(xp, a.v, b.v, rays.order(xp, a.d, b.d, by_c)))


ROWS = (
    _rounding(
        "floor", "the whole number at or below a", "", lambda xp, a: xp.floor(a), 0,
        lambda xp, a: xp.floor(a) == a, _floor_ray,
        Names(("floor",), None, "floor", "floor", "floor"),
    ),
    _rounding(
        "ceil", "the whole number at or above a", "", lambda xp, a: xp.ceil(a), 0,
        lambda xp, a: xp.floor(a) == a,
        lambda xp, a: rays.neg(xp, _floor_ray(xp, rays.neg(xp, a))),
        Names(("ceil",), None, "ceil", "ceiling", "ceil"),
    ),
    _rounding(
        "round", "the nearest whole number", "halves go away from 0: 2.5 gives 3, -2.5 gives -3",
        _round, 3, _is_half, _round_ray, Names(("round",), None, None, None, "round"),
    ),
    Op(
        name="not", operands=("a",), value="1 if a is 0, else 0", edges="NaN gives 0",
        is_input=False, function=None,
        point=lambda xp, a: xp.where(a == 0.0, 1.0, 0.0), temporaries=1,
        floats=_not, reals=row.bounds_of(_not), domain=row.everywhere, continuity=zero_continuity,
        slope=Slope((0,), _not_ray, None, lambda xp, value, a: a == 0),
        choice=None, absorption=None, demand=Demand.NOT, values=Values.TRUTH,
        names=Names(("not_",), None, None, "Not", "not"), commutes=False, associates=False,
    ),
    Op(
        name="compare", operands=("a", "b"),
        value="-1, 0 or 1 as a is below, equal to or above b", edges="NaN if either is NaN",
        is_input=False, function=None, point=rays.sign_of, temporaries=3,
        floats=_compare, reals=row.bounds_of(_compare), domain=row.everywhere,
        continuity=_compare_continuity,
        slope=Slope((0, 0), _compare_ray, None, lambda xp, value, a, b: a == b),
        choice=None, absorption=None, demand=Demand.ORDER, values=Values.WHOLE,
        names=Names(("compare",), None, None, None, "compare"), commutes=False, associates=False,
    ),
)  # fmt: skip
