"""The derivative of each operation by each of its operands, and where it may have none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from intervalvm.ops import OPS

Partial = int | Callable[..., Any]
"""The derivative by one operand: 0, 1, -1, or a function of (xp, value, *operands)."""


@dataclass(frozen=True)
class Choice:
    """The rule of an operation whose value is one of its operands: ``takes_left(a, b)``."""

    takes_left: Callable[[Any, Any], Any]


def _mod_by_divisor(xp: Any, value: Any, a: Any, b: Any) -> Any:
    """a is value + n * b for a whole n, which is constant between the jumps."""
    return (value - a) / b


def value_of(name: str, xp: Any, *operands: Any) -> Any:
    """The value of an operation by its row."""
    rule = OPS[name].point
    assert rule is not None
    return rule(xp, *operands)


DERIVATIVES: dict[str, tuple[Partial, ...] | Choice] = {
    "copy": (1,),
    "neg": (-1,),
    "abs": (lambda xp, value, a: xp.where(a < 0, -1.0, 1.0),),
    "square": (lambda xp, value, a: 2 * a,),
    "sqrt": (lambda xp, value, a: 0.5 / value,),
    "recip": (lambda xp, value, a: -value * value,),
    "floor": (0,),
    "ceil": (0,),
    "round": (0,),
    "sin": (lambda xp, value, a: value_of("cos", xp, a),),
    "cos": (lambda xp, value, a: -value_of("sin", xp, a),),
    "tan": (lambda xp, value, a: 1 + value * value,),
    "asin": (lambda xp, value, a: 1 / xp.sqrt((1 - a) * (1 + a)),),
    "acos": (lambda xp, value, a: -1 / xp.sqrt((1 - a) * (1 + a)),),
    "atan": (lambda xp, value, a: 1 / (1 + a * a),),
    "exp": (lambda xp, value, a: value,),
    "ln": (lambda xp, value, a: 1 / a,),
    "not": (0,),
    "rand": (0,),
    "add": (1, 1),
    "sub": (1, -1),
    "mul": (lambda xp, value, a, b: b, lambda xp, value, a, b: a),
    "div": (lambda xp, value, a, b: 1 / b, lambda xp, value, a, b: -value / b),
    "min": Choice(lambda a, b: a < b),
    "max": Choice(lambda a, b: a > b),
    "atan2": (
        lambda xp, value, y, x: x / (x * x + y * y),
        lambda xp, value, y, x: -y / (x * x + y * y),
    ),
    "mod": (1, _mod_by_divisor),
    "compare": (0, 0),
    "and": Choice(lambda a, b: a == 0),
    "or": Choice(lambda a, b: a != 0),
    "mix": (0, 0),
}
"""The derivative of each operation by each of its operands."""

KINKS: dict[str, Callable[..., Any]] = {
    "abs": lambda a: a == 0,
    "min": lambda a, b: a == b,
    "max": lambda a, b: a == b,
}
"""Where two branches of an operation meet: a kink, unless both have the same slope."""

TAKEN: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "min": (lambda a, b: ~(a > b), lambda a, b: ~(b > a)),
    "max": (lambda a, b: ~(a < b), lambda a, b: ~(b < a)),
    "and": (lambda a, b: a == 0, lambda a, b: a != 0),
    "or": (lambda a, b: a != 0, lambda a, b: a == 0),
}
"""Where an operand is the value, or may be beside the point if neither jumps there."""

JUMPS: dict[str, Callable[..., Any]] = {
    "floor": lambda xp, value, a: a == value,
    "ceil": lambda xp, value, a: a == value,
    "round": lambda xp, value, a: xp.abs(a - xp.trunc(a)) == 0.5,
    "not": lambda xp, value, a: a == 0,
    "mod": lambda xp, value, a, b: value == 0,
    "compare": lambda xp, value, a, b: a == b,
    "and": lambda xp, value, a, b: a == 0,
    "or": lambda xp, value, a, b: a == 0,
}
"""Where the value of an operation may jump."""
