"""Functions that are not correctly rounded: sequences of operations defined in ``elementary``.

Results need not be monotone, so bounds of floats are widened. The rules are inclusion isotonic if
the namespace of the outer box has at least four times the ``slack``: the compiled walk proves once,
for the whole image, that no bound is infinite.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from intervalvm.arith import elementary
from intervalvm.arith.directed import DOWN, HALF_PI, PI, UP, Function
from intervalvm.arith.nearest import Nearest, above, below
from intervalvm.ops import rays, row
from intervalvm.ops.row import (
    Demand,
    Interval,
    Names,
    Op,
    Partial,
    Rule,
    Slope,
    Values,
    has_zero,
    is_zero,
)

Ends = tuple[Any, Any]


def _row(
    name: str, operands: str, value: str, edges: str, function: Function, floats: Rule,
    reals: Rule, domain: Rule, continuity: Rule, values: Values, names: Names, *partials: Partial,
    demand: Demand = Demand.VALUE,
) -> Op:  # fmt: skip
    point = _point(function)
    letters = tuple(operands.split())
    return Op(
        name=name, operands=letters, value=value, edges=edges, is_input=False, function=function,
        point=point, temporaries=1 + len(letters), floats=floats, reals=reals, domain=domain,
        continuity=continuity, slope=Slope(partials, rays.smooth(point, *partials), None, None),
        choice=None, absorption=None, demand=demand, values=values, names=names,
        commutes=False, associates=False,
    )  # fmt: skip


def _point(function: Function) -> Rule:
    """A float32 is widened, the result rounded once."""

    def rule(xp: Any, *operands: Any) -> Any:
        short = function.single if xp.is_single else None
        compute = function.compute if short is None else short
        return xp.narrow(xp.call(compute, *map(xp.wide, operands)))

    return rule


# --- functions that grow, or fall ---------------------------------------------------------------


class Domain(NamedTuple):
    """The numbers from ``low`` to ``high``; without ``low`` if it is open."""

    low: float
    high: float
    is_open: bool

    def inside(self, xp: Any, a: Interval) -> Ends:
        """The ends of the part of ``a`` in it; unspecified if it is empty."""
        ends: tuple[Any, ...] = (a.lower, a.upper)
        if self.low > -math.inf:
            ends = tuple(xp.greater(end, self.low) for end in ends)
        if self.high < math.inf:
            ends = tuple(xp.lesser(end, self.high) for end in ends)
        low, high = ends
        return xp.wide(low), xp.wide(high)

    def leaves(self, xp: Any, a: Interval) -> Any:
        """Where floats have no value: at an open end it is infinite."""
        below = a.lower < self.low if self.low > -math.inf else xp.no
        return below | (a.upper > self.high) if self.high < math.inf else below

    def of_reals(self, xp: Any, _found: Any, a: Interval) -> Ends:
        nowhere, leaves = xp.no, xp.no
        if self.low > -math.inf:
            nowhere = a.upper <= self.low if self.is_open else a.upper < self.low
            leaves = a.lower <= self.low if self.is_open else a.lower < self.low
        if self.high < math.inf:
            nowhere, leaves = nowhere | (a.lower > self.high), leaves | (a.upper > self.high)
        return nowhere, leaves


LINE = Domain(-math.inf, math.inf, is_open=False)
WITHIN_ONE = Domain(-1.0, 1.0, is_open=False)
POSITIVE = Domain(0.0, math.inf, is_open=True)
Limit = tuple[float, float]
"""The end of a function's range, as (float64, sign of (exact - float64))."""


def _monotone(
    name: str, value: str, edges: str, function: Function, partial: Rule, *, domain: Domain,
    falls: bool, least: Limit | None, most: Limit | None, fixed: tuple[float, float] | None,
    values: Values, names: Names, demand: Demand = Demand.VALUE,
) -> Op:  # fmt: skip
    """A function that is monotone over its domain.

    ``least`` and ``most`` are the ends of its range, or None; ``fixed`` is a float with a float
    value, at which bounds are clipped. ``demand`` is not ``VALUE`` for one that is known to be
    monotone from float32 to float32 as computed. From one float32 to the next ``ln`` grows by
    about 2**-24 or more, far above its error in float64. So does ``exp`` where ``abs(a) > 2**-26``;
    nearer to 0 it lies around 1 between the middles of 1 and the floats beside it. From float64 to
    float64 an error may be more than such a step.
    """

    def between(xp: Any, a: Interval) -> Ends:
        low, high = domain.inside(xp, a)
        found: Ends = xp.increasing(function, *((high, low) if falls else (low, high)))
        return found

    def floats(xp: Any, a: Interval) -> Interval:
        low, high = between(Nearest(xp), a)
        if values is Values.NOT_NEGATIVE:
            low = xp.greater(low, 0.0)
        return Interval(low, high, a.maybe_nan | domain.leaves(xp, a))

    def reals(xp: Any, a: Interval) -> Ends:
        low, high = _within(xp, *between(xp, a), least, most)
        if fixed is not None:
            at, there = fixed
            low = xp.greater(low, xp.where(a.lower >= at, there, -xp.inf))
            high = xp.lesser(high, xp.where(a.upper <= at, there, xp.inf))
        return low, high

    return _row(
        name, "a", value, edges, function, floats, reals, domain.of_reals, row.continuous, values,
        names, partial, demand=demand,
    )  # fmt: skip


def _within(xp: Any, low: Any, high: Any, least: Limit | None, most: Limit | None) -> Ends:
    """Bounds cut to the range of a function."""
    if least is not None:
        low = xp.greater(low, xp.limit(DOWN, *least))
    return low, high if most is None else xp.lesser(high, xp.limit(UP, *most))


# --- functions of angles ------------------------------------------------------------------------


def _angles(
    name: str, value: str, function: Function, bounds: Rule, domain: Rule, partial: Rule
) -> Op:
    """A function of every finite angle; ``bounds`` are of both meanings."""

    def floats(xp: Any, a: Interval) -> Interval:
        low, high = bounds(Nearest(xp), a)
        return Interval(low, high, a.maybe_nan | row.is_unbounded(xp, a))

    return _row(
        name, "a", value, "NaN at infinity", function, floats, bounds, domain, row.continuous,
        Values.ANY, Names((name,), None, name, name, name), partial,
    )  # fmt: skip


def _finite(xp: Any, a: Interval) -> tuple[Any, Any, Any]:
    """Whether an interval is unbounded, and its wide ends if not."""
    endless = row.is_unbounded(xp, a)
    low, high = (xp.where(endless, 0.0, xp.wide(end)) for end in (a.lower, a.upper))
    return endless, low, high


def _wave(function: Function) -> Rule:
    """A periodic function with values in -1..1."""

    def bounds(xp: Any, a: Interval) -> Ends:
        endless, low, high = _finite(xp, a)
        has_bottom, has_top = xp.turns(function, low, high)
        least, most = xp.between(function, low, high)
        return (
            xp.where(endless | has_bottom, -1.0, xp.greater(least, -1.0)),
            xp.where(endless | has_top, 1.0, xp.lesser(most, 1.0)),
        )

    return bounds


def _tan(xp: Any, a: Interval) -> Ends:
    endless, low, high = _finite(xp, a)
    pole = endless | xp.has_pole(TAN, low, high)
    lower, upper = xp.increasing(TAN, low, high)
    return xp.where(pole, -xp.inf, lower), xp.where(pole, xp.inf, upper)


def _atan2_floats(xp: Any, y: Interval, x: Interval) -> Interval:
    """The extreme angles of a box are at its corners, unless it meets the cut at x <= 0, y = 0."""
    angles = [xp.call(ATAN2.compute, xp.wide(p), xp.wide(q)) for p in y[:2] for q in x[:2]]
    low = xp.lesser(xp.lesser(angles[0], angles[1]), xp.lesser(angles[2], angles[3]))
    high = xp.greater(xp.greater(angles[0], angles[1]), xp.greater(angles[2], angles[3]))
    cut = has_zero(y) & (x.lower <= 0.0)
    return Interval(
        xp.narrow(below(xp, xp.where(cut, -math.pi, low))),
        xp.narrow(above(xp, xp.where(cut, math.pi, high))),
        y.maybe_nan | x.maybe_nan,
    )


def _atan2_reals(xp: Any, y: Interval, x: Interval) -> Ends:
    """Of the part of the box that lies above the x axis or on it, and of the part below mirrored.

    In either the angle falls as x grows, and grows with y where x > 0.
    """
    # an end that is 0 gets the sign of the numbers beside it: on the axis the angle is theirs
    left = xp.where(x.lower == 0.0, 0.0, x.lower)
    right = xp.where(x.upper == 0.0, -0.0, x.upper)

    def least(low: Any, high: Any) -> Any:
        return xp.angle(DOWN, ATAN2, xp.where(right > 0.0, low, high), right)

    def most(low: Any, high: Any) -> Any:
        return xp.angle(UP, ATAN2, xp.where(left < 0.0, low, high), left)

    upper = [xp.greater(end, 0.0) for end in (y.lower, y.upper)]
    lower = [xp.greater(-end, 0.0) for end in (y.upper, y.lower)]
    has_above, has_below = (y.upper > 0.0) | ((y.upper == 0.0) & ~is_zero(x)), y.lower < 0.0
    low = xp.where(has_below, -most(*lower), least(*upper))
    high = xp.where(has_above, most(*upper), -least(*lower))
    # at the origin alone, where there is no angle, they are the wrong way round
    low, high = xp.lesser(low, high), xp.greater(low, high)
    return _within(xp, low, high, (-PI, -1.0), (PI, 1.0))


def _atan2_domain(xp: Any, _found: Any, y: Interval, x: Interval) -> Ends:
    return is_zero(y) & is_zero(x), has_zero(y) & has_zero(x)


def _atan2_continuity(xp: Any, y: Interval, x: Interval) -> Ends:
    """On the cut the angle is that of the points above."""
    beside = x.lower >= 0.0
    return beside | (y.lower >= 0.0) | (y.upper < 0.0), beside | ~has_zero(y)


# --- the rows -----------------------------------------------------------------------------------


def _function(
    compute: Callable[..., Any], formula: str, *, known: dict[float, tuple[float, float]],
    bend: int, error: float, worst: tuple[float, ...], single: Callable[..., Any] | None = None,
) -> Function:  # fmt: skip
    """A function that is not periodic."""
    return Function(
        compute=compute, formula=formula, known=known, bend=bend, slope=None, turns=None,
        error=error, worst=worst, single=single,
    )  # fmt: skip


SIN = Function(
    compute=elementary.sin, single=None, formula="sin(a)", known={0.0: (0.0, 0.0)}, bend=-1,
    slope=(elementary.cos, 1), turns=(-0.25, 0.25), error=1.1, worst=(0.919, 2.3564488664776526),
)  # fmt: skip
COS = Function(
    compute=elementary.cos, single=None, formula="cos(a)", known={0.0: (1.0, 0.0)}, bend=0,
    slope=(elementary.sin, -1), turns=(0.5, 0.0), error=1.1, worst=(0.936, -0.7869503005597334),
)  # fmt: skip
TAN = Function(
    compute=elementary.tan, single=None, formula="tan(a)", known={0.0: (0.0, 0.0)}, bend=1,
    slope=(elementary.cos, 1), turns=None, error=1.75, worst=(1.264, -281.9592244132034),
)  # fmt: skip
ATAN2 = _function(
    elementary.atan2, "atan2(a, b)", known={}, bend=0, error=0.8,
    worst=(0.75, -1.5452555906037293e-220, 1.9892924577102479e87),
)  # fmt: skip
_sine, _cosine = _point(SIN), _point(COS)

ROWS = (
    _angles(
        "sin", "sine of a in radians", SIN, _wave(SIN), row.everywhere,
        lambda xp, value, a: _cosine(xp, a),
    ),
    _angles(
        "cos", "cosine of a in radians", COS, _wave(COS), row.everywhere,
        lambda xp, value, a: -_sine(xp, a),
    ),
    _angles(
        "tan", "tangent of a in radians", TAN, _tan, row.where_bounded,
        lambda xp, value, a: 1 + value * value,
    ),
    _monotone(
        "asin", "the angle in -π/2..π/2 whose sine is a", "NaN outside -1..1",
        _function(
            elementary.asin, "asin(a)", bend=1, error=0.8, worst=(0.626, 0.7069953595469686),
            known={0.0: (0.0, 0.0), 1.0: (HALF_PI, 1.0), -1.0: (-HALF_PI, -1.0)},
        ),
        lambda xp, value, a: 1 / xp.sqrt((1 - a) * (1 + a)),
        domain=WITHIN_ONE, falls=False, least=(-HALF_PI, -1.0), most=(HALF_PI, 1.0), fixed=None,
        values=Values.ANY,
        names=Names(("arcsin", "asin"), None, "arcsin", "asin", "asin"),
    ),
    _monotone(
        "acos", "the angle in 0..π whose cosine is a", "NaN outside -1..1",
        _function(
            elementary.acos, "acos(a)", bend=0, error=0.8, worst=(0.635, 0.9507251690453347),
            known={1.0: (0.0, 0.0), 0.0: (HALF_PI, 1.0), -1.0: (PI, 1.0)},
        ),
        lambda xp, value, a: -1 / xp.sqrt((1 - a) * (1 + a)),
        domain=WITHIN_ONE, falls=True, least=(0.0, 0.0), most=(PI, 1.0), fixed=None,
        values=Values.ANY,
        names=Names(("arccos", "acos"), None, "arccos", "acos", "acos"),
    ),
    _monotone(
        "atan", "the angle in -π/2..π/2 whose tangent is a", "",
        _function(
            elementary.atan, "atan(a)", bend=-1, error=0.8, worst=(0.62, 0.33280521195505575),
            known={0.0: (0.0, 0.0), math.inf: (HALF_PI, 1.0), -math.inf: (-HALF_PI, -1.0)},
        ),
        lambda xp, value, a: 1 / (1 + a * a),
        domain=LINE, falls=False, least=(-HALF_PI, -1.0), most=(HALF_PI, 1.0), fixed=None,
        values=Values.ANY,
        names=Names(("arctan", "atan"), None, "arctan", "atan", "atan"),
    ),
    _monotone(
        "exp", "e to the power a", "",
        _function(
            elementary.exp, "exp(a)", single=elementary.exp_single, bend=0, error=1.0,
            worst=(0.821, -708.7448996378284),
            known={0.0: (1.0, 0.0), math.inf: (math.inf, 0.0), -math.inf: (0.0, 0.0)},
        ),
        lambda xp, value, a: value,
        domain=LINE, falls=False, least=(0.0, 0.0), most=None, fixed=(0.0, 1.0),
        values=Values.NOT_NEGATIVE, names=Names(("exp",), None, "exp", "exp", "exp"),
        demand=Demand.GROWS,
    ),
    _monotone(
        "ln", "the natural logarithm", "-inf at 0, NaN below",
        _function(
            elementary.ln, "log(a)", bend=0, error=1.0, worst=(0.905, 0.7069015048850943),
            known={1.0: (0.0, 0.0), 0.0: (-math.inf, 0.0), math.inf: (math.inf, 0.0)},
        ),
        lambda xp, value, a: 1 / a,
        domain=POSITIVE, falls=False, least=None, most=None, fixed=None,
        values=Values.ANY, names=Names(("log", "ln"), None, "log", "log", "ln"),
        demand=Demand.GROWS_FROM_ZERO,
    ),
    _row(
        "atan2", "y x", "the angle of the point (x, y), in -π..π",
        "y comes first; IEEE 754's table of zeros and infinities", ATAN2, _atan2_floats,
        _atan2_reals, _atan2_domain, _atan2_continuity, Values.ANY,
        Names(("arctan2", "atan2"), None, "arctan2", "atan2", "atan2"),
        lambda xp, value, y, x: x / (x * x + y * y),
        lambda xp, value, y, x: -y / (x * x + y * y),
    ),
)  # fmt: skip
