"""The parameters of shapes: checks, and arithmetic that folds numbers.

An expression is not checked: a shape is as documented while its values are in the range of numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from intervalvm import expr
from intervalvm.arguments import brief, parts_of, real
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.expr import NUMBERS, Expr, as_expr

Value = Expr | float
SAMPLE = (1.0, 0.0, 0.0)
"""A point or a vector in errors."""


def value(name: str, given: object, wanted: str = "a number or an expression") -> Value:
    """``given`` as a finite float, or an expression unchanged.

    This and the checks below raise OptionError, which names the parameter, for a number out of
    range, and ArgumentTypeError for another type.
    """
    if isinstance(given, Expr):
        return given
    if not isinstance(given, NUMBERS):
        raise ArgumentTypeError(f"{name} is {wanted}, not {type(given).__name__!r}: {brief(given)}")
    number = real(name, given)
    if not math.isfinite(number):
        raise OptionError(f"{name}={given!r} is not finite")
    return number


def positive(name: str, given: object) -> Value:
    """A size: above 0."""
    checked = value(name, given)
    if isinstance(checked, float) and not checked > 0:
        raise OptionError(f"{name}={given!r} is not above 0")
    return checked


def not_negative(name: str, given: object) -> Value:
    """A size that may be 0."""
    checked = value(name, given)
    if isinstance(checked, float) and checked < 0:
        raise OptionError(f"{name}={given!r} is below 0")
    return checked


def number(name: str, given: object) -> float:
    """A finite number; an expression is refused."""
    checked = value(name, given, "a number")
    if isinstance(checked, Expr):
        raise ArgumentTypeError(
            f"{name} is a number, not an expression: the shape's parts depend on it"
        )
    return checked


def whole(name: str, given: object, least: int) -> int:
    """A count from ``least``."""
    checked = number(name, given)
    if not checked.is_integer() or checked < least:
        raise OptionError(f"{name}={given!r} is not a whole number from {least}")
    return int(checked)


def values(name: str, given: object, count: int) -> tuple[Value, ...]:
    """A point or a vector: ``count`` numbers or expressions."""
    try:
        parts = parts_of(name, given, count)
    except ArgumentTypeError:
        parts = ()
    if len(parts) != count:
        raise OptionError(f"{name}={brief(given)} is not {count} numbers, such as {SAMPLE[:count]}")
    return tuple(value(f"{name}[{i}]", part) for i, part in enumerate(parts))


def direction(name: str, given: object, count: int) -> tuple[Value, ...]:
    """``given``, normalized."""
    parts = values(name, given, count)
    size = value(f"the length of {name}", length(*parts))
    if isinstance(size, float) and size == 0:
        raise OptionError(f"{name}={given!r} has no direction: its length is 0")
    return tuple(part / size for part in parts)


def are_apart(name: str, given: Sequence[Value], other_name: str, other: Sequence[Value]) -> None:
    """Raise OptionError for two equal points of numbers."""
    parts = (*given, *other)
    if all(isinstance(part, float) for part in parts) and tuple(given) == tuple(other):
        raise OptionError(f"{name}={tuple(given)!r} is {other_name}: they must be apart")


def at_most(name: str, given: Value, limit_name: str, limit: Value) -> None:
    """Raise OptionError for a number above another one."""
    if isinstance(given, float) and isinstance(limit, float) and given > limit:
        equals = "=" if limit_name.isidentifier() else ", "
        raise OptionError(f"{name}={given!r} is above {limit_name}{equals}{limit!r}")


def minimum(a: Value, b: Value) -> Value:
    """The smaller number, or an expression."""
    return min(a, b) if isinstance(a, float) and isinstance(b, float) else expr.minimum(a, b)


def length(*parts: Value) -> Value:
    """The Euclidean length of a vector, without clauses for components that are 0."""
    kept = [part for part in parts if not (isinstance(part, float) and part == 0)]
    if all(isinstance(part, float) for part in kept):
        return math.hypot(*(float(part) for part in kept if isinstance(part, float)))
    if len(kept) == 1:
        return expr.absolute(kept[0])
    total: Expr | None = None
    for part in kept:
        square = part * part if isinstance(part, float) else expr.square(part)
        total = as_expr(square) if total is None else total + square
    return expr.sqrt(as_expr(total))


def distance(*parts: Value) -> Expr:
    """``length`` as an expression."""
    return as_expr(length(*parts))


def shifted(coordinate: Expr, by: Value) -> Expr:
    """``coordinate - by``, without a clause for 0."""
    return coordinate if isinstance(by, float) and by == 0 else coordinate - by


def times(factor: Value, coordinate: Expr) -> Expr:
    """``factor * coordinate``, without a product by 1 or -1."""
    if isinstance(factor, float) and abs(factor) == 1:
        return coordinate if factor > 0 else -coordinate
    return coordinate * factor


def over(coordinate: Expr, divisor: Value) -> Expr:
    """``coordinate / divisor``, without a quotient by 1."""
    return coordinate if isinstance(divisor, float) and divisor == 1 else coordinate / divisor


def dot(factors: Sequence[Value], coordinates: Sequence[Expr]) -> Expr:
    """The dot product, without terms that are 0."""
    total: Expr | None = None
    for factor, coordinate in zip(factors, coordinates, strict=True):
        if isinstance(factor, float) and factor == 0:
            continue
        if total is None:
            total = times(factor, coordinate)
        elif isinstance(factor, float) and factor < 0:
            total = total - times(-factor, coordinate)
        else:
            total = total + times(factor, coordinate)
    return as_expr(0.0 if total is None else total)


def cos_sin(degrees: Value) -> tuple[Value, Value]:
    """Cosine and sine of an angle in degrees, exact at multiples of 90."""
    if isinstance(degrees, Expr):
        radians = degrees * (math.pi / 180)
        return expr.cos(radians), expr.sin(radians)
    quarters, rest = divmod(degrees % 360, 90)
    c, s = math.cos(math.radians(rest)), math.sin(math.radians(rest))
    for _ in range(int(quarters)):
        c, s = 0.0 - s, c
    return c, s


def clamp(a: Expr, low: Value, high: Value) -> Expr:
    """``a``, but at least ``low`` and at most ``high``."""
    return expr.minimum(expr.maximum(a, low), high)


def choose(test: Expr, a: Expr, b: Expr) -> Expr:
    """``a`` where ``test > 0`` and ``a`` is not 0, else ``b``: for fields equal at the seam.

    ``and`` and ``or`` have a choice, so where the sign of ``test`` is known one operand is pruned.
    """
    return expr.or_(expr.and_(expr.maximum(expr.compare(test, 0.0), 0.0), a), b)


def corner(a: Expr, b: Expr) -> Expr:
    """The distance to the set a < 0, b < 0, for distances along perpendicular directions.

    Derived. Let m be ``max(a, b)`` and e ``sqrt(max(a, 0)^2 + max(b, 0)^2)``. Inside, m is the
    distance; outside, e is, and m <= e <= sqrt(2) m. So ``max(m, min(e, 2m))`` is m where m is
    negative, else e. (Inigo Quilez, "2D distance functions", adds ``min(m, 0)`` to e.) In this form
    ``v < 0`` depends on m only, so a picture needs no root.
    """
    both = expr.maximum(a, b)
    beyond = distance(expr.maximum(a, 0.0), expr.maximum(b, 0.0))
    return expr.maximum(both, expr.minimum(beyond, both * 2.0))
