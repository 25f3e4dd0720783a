"""Bounds on the real function that a tape writes down, by rules that compiled lanes can run.

``outward`` has the tightest bounds, in NumPy; these are a float or two wider, and cost little more
than those of ``interval``, from which they are made: a bound that was rounded to nearest is moved
to the next float outwards. What operations mean in real numbers is said in ``outward``, and
``maybe_nan`` says where the function may be undefined at some point.

Sources of what is used: a result rounded to nearest is off by half a unit in the last place, so the
next float is beyond the real one, also where it is subnormal, 0 or infinite; a sum that is 0 is
exact; the error of ``functions`` is within what ``interval`` widens them by.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from intervalvm.arith.directed import DOWN, UP, DirectedArrays
from intervalvm.evaluate.boxes import Rules
from intervalvm.ops import bounds as nearest
from intervalvm.ops import choices
from intervalvm.ops.bounds import Rule
from intervalvm.ops.choices import Interval, contains_zero
from intervalvm.tape import Tape


def _outside_one(a: Interval) -> Any:
    return (a.lower < -1.0) | (a.upper > 1.0)


UNDEFINED: dict[str, Callable[..., Any]] = {
    "div": lambda _, b: contains_zero(b),
    "mod": lambda _, b: contains_zero(b),
    "recip": contains_zero,
    "sqrt": lambda a: a.lower < 0.0,
    "ln": lambda a: a.lower <= 0.0,
    "asin": _outside_one,
    "acos": _outside_one,
    "atan2": lambda y, x: contains_zero(y) & contains_zero(x),
}
"""Where an operation may be undefined although its operands are defined."""
BY_BOUNDS = ("tan", "mix")
"""Those that may be undefined where their result is unbounded."""


def _maybe_undefined(name: str, found: Interval, operands: tuple[Interval, ...]) -> Any:
    maybe = operands[0].maybe_nan
    for operand in operands[1:]:
        maybe = maybe | operand.maybe_nan
    if name in UNDEFINED:
        return maybe | UNDEFINED[name](*operands)
    if name in BY_BOUNDS:
        return maybe | (found.lower == -math.inf) | (found.upper == math.inf)
    return maybe


# --- bounds -----------------------------------------------------------------------------------


def _unchanged(xp: Any, found: Interval, *_: Interval) -> Any:
    return found.lower, found.upper


def _outwards(xp: Any, found: Interval, *_: Interval) -> Any:
    return xp.next_below(found.lower), xp.next_above(found.upper)


def _sum(xp: Any, found: Interval, *_: Interval) -> Any:
    low, high = _outwards(xp, found)
    return (
        xp.where(found.lower == 0.0, found.lower, low),
        xp.where(found.upper == 0.0, found.upper, high),
    )


def _product(xp: Any, found: Interval, a: Interval, b: Interval) -> Any:
    """Where the operands have signs, so has the result, although it may be rounded to 0."""
    low, high = _outwards(xp, found)
    (a_up, b_up), (a_down, b_down) = (
        [s.lower >= 0.0 for s in (a, b)],
        [s.upper <= 0.0 for s in (a, b)],
    )
    return (
        xp.where((a_up & b_up) | (a_down & b_down), xp.greater(low, 0.0), low),
        xp.where((a_up & b_down) | (a_down & b_up), xp.lesser(high, 0.0), high),
    )


def _inverse(xp: Any, found: Interval, a: Interval) -> Any:
    low, high = _outwards(xp, found)
    return (
        xp.where(a.lower > 0.0, xp.greater(low, 0.0), low),
        xp.where(a.upper < 0.0, xp.lesser(high, 0.0), high),
    )


def _not_negative(xp: Any, found: Interval, *_: Interval) -> Any:
    low, high = _outwards(xp, found)
    return xp.greater(low, 0.0), high


def _wave(xp: Any, found: Interval, *_: Interval) -> Any:
    low, high = _outwards(xp, found)
    return xp.greater(low, -1.0), xp.lesser(high, 1.0)


def _hash(name: str) -> Callable[..., Any]:
    """What is hashed is the nearest float32: near 0 that may be either zero."""
    least, most = (0.0, 1.0) if name == "rand" else (-math.inf, math.inf)

    def finish(xp: Any, found: Interval, *operands: Interval) -> Any:
        known = xp.abs(operands[0].lower) >= FLOAT32_TINY
        for operand in operands[1:]:
            known = known & (xp.abs(operand.lower) >= FLOAT32_TINY)
        return xp.where(known, found.lower, least), xp.where(known, found.upper, most)

    return finish


FLOAT32_TINY = float(np.finfo(np.float32).tiny)
FINISH: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("copy", "neg", "abs", "floor", "ceil", "round", "compare"), _unchanged),
    **dict.fromkeys(("min", "max", "not", "and", "or"), _unchanged),
    **{name: _hash(name) for name in ("rand", "mix")},
    **dict.fromkeys(("add", "sub"), _sum),
    **dict.fromkeys(("mul", "div"), _product),
    "recip": _inverse,
    **dict.fromkeys(("square", "sqrt", "mod", "exp", "acos"), _not_negative),
    **dict.fromkeys(("tan", "asin", "atan", "atan2", "ln"), _outwards),
    **dict.fromkeys(("sin", "cos"), _wave),
}
"""What becomes of the bounds that were rounded to nearest."""


def _widening(name: str) -> Rule:
    """The rule of ``interval`` with bounds and ``maybe_nan`` as the real function has them."""
    rule, finish = nearest.RULES[name], FINISH[name]

    def widened(xp: Any, *operands: Interval) -> Interval:
        found = rule(xp, *operands)
        low, high = finish(xp, found, *operands)
        found = Interval(low, high, found.maybe_nan)
        return found._replace(maybe_nan=_maybe_undefined(name, found, operands))

    return widened


# --- choices ----------------------------------------------------------------------------------


def _choose_and(xp: Any, a: Interval, b: Interval) -> tuple[Any, Any]:
    """An operand that may be undefined is kept: without it the result would be defined."""
    left_only, right_only = choices.choose_and(xp, a, b)
    return left_only & ~b.maybe_nan, right_only & ~a.maybe_nan


def _choose_or(xp: Any, a: Interval, b: Interval) -> tuple[Any, Any]:
    left_only, right_only = choices.choose_or(xp, a, b)
    return left_only & ~b.maybe_nan, right_only & ~a.maybe_nan


def _constants(tape: Tape, dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """Bounds of the float64 that each constant is; NaN of what is no number."""
    xp = DirectedArrays(dtype)
    number = np.where(np.isfinite(tape.wide), tape.wide, np.nan)
    with np.errstate(all="ignore"):
        return xp.towards(DOWN, number, np.nan), xp.towards(UP, number, np.nan)


_TRUTH_CHOICES = {"and": _choose_and, "or": _choose_or}
WIDENED = Rules(
    {name: _widening(name) for name in nearest.RULES},
    choices.CHOICES | _TRUTH_CHOICES,
    choices.SIGN_CHOICES | _TRUTH_CHOICES,
    _constants,
)
