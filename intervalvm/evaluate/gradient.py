"""Values and derivatives in one pass: every clause is a dual number.

With a value goes its derivative by x, by y and by z, or None for one that is 0 everywhere since no
path leads to that axis. ``DERIVATIVES`` has the rule of each operation. The values are computed by
the same rules as in ``dense``, and are the same bits.

Where an operation has no derivative this one is chosen:

===================  ==============================================================================
``min max and or``   that of the operand that the value is: on a tie of ``min`` and ``max``, right
``abs`` at 0         as from above, 1
``floor ceil ...``   0, at their jumps too: ``round not compare rand mix`` as well
``mod``              between its jumps; at a jump the same rule
``sqrt`` at 0        infinite, and NaN where the operand's own derivative is 0, being inf * 0
===================  ==============================================================================

Where a value is NaN its derivatives say nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from intervalvm.compiler.slots import dying
from intervalvm.evaluate.dense import Points, Rules, prepare, with_rules
from intervalvm.evaluate.device import device_errors
from intervalvm.expr import TapeLike
from intervalvm.memory import Amount, require
from intervalvm.ops import AXES, OPS, ROWS


class Gradient(NamedTuple):
    """The values of a tape and its derivatives, arrays of one shape."""

    value: Any
    dx: Any
    dy: Any
    dz: Any


def grad(
    tape: TapeLike,
    x: Any,
    y: Any,
    z: Any = 0.0,
    *,
    variables: Mapping[str, Any] | None = None,
    backend: str = "numpy",
    dtype: Any = "float32",
    max_memory: Amount | None = None,
) -> Gradient:
    """The value of ``tape`` at each point and its partial derivatives by x, y and z.

    Each has the shape that the inputs broadcast to. The value is that of ``evaluate``, bit for bit;
    the derivatives are those of the real function, computed in ``dtype``, with the choices that the
    table of this module names. Raises as ``evaluate`` does.
    """
    with device_errors():
        points = prepare(tape, x, y, z, variables=variables, backend=backend, dtype=dtype)
        if backend == "numpy":
            needed = (1 + len(AXES)) * points.peak_bytes("dense")
            what = f"a gradient on {points.shape} points"
            require(needed, what, "take fewer points at a time", max_memory)
        zero = points.xp.dtype.type(0)
        found = (zero if part is None else part for part in _run(*with_rules(points, backend)))
        return Gradient(*map(points.broadcast, found))


def _run(points: Points, rules: Rules) -> tuple[Any, ...]:
    """Run the clauses: (value, dx, dy, dz) of the last, None for a slope that is 0 everywhere."""
    tape, xp, dead = points.tape, points.xp, dying(points.tape)
    values: list[Any] = [None] * len(tape)
    slopes: list[tuple[Any, ...]] = [()] * len(tape)
    with np.errstate(all="ignore"):
        for i, code in enumerate(tape.codes.tolist()):
            op, operands, rule = ROWS[code], tape.operands(i), rules[code]
            if rule is None:
                values[i] = points.leaf(i)
                one = xp.dtype.type(1)
                slopes[i] = tuple(one if op.name == axis else None for axis in AXES.values())
            else:
                numbers = [values[operand] for operand in operands]
                inner = [slopes[operand] for operand in operands]
                values[i] = rule(xp, *numbers)
                slopes[i] = _chain(DERIVATIVES[op.name], xp, inner, values[i], numbers)
            for gone in dead[i]:
                values[gone], slopes[gone] = None, ()
    return values[-1], *slopes[-1]


Partial = int | Callable[..., Any]
"""The derivative by one operand: 0, 1, -1, or a function of (xp, value, *operands)."""


@dataclass(frozen=True)
class Choice:
    """The rule of an operation whose value is one of its operands: ``takes_left(a, b)``."""

    takes_left: Callable[[Any, Any], Any]


def _chain(
    rule: tuple[Partial, ...] | Choice,
    xp: Any,
    inner: list[tuple[Any, ...]],
    value: Any,
    numbers: list[Any],
) -> tuple[Any, ...]:
    """The slopes of a clause by its rule, from those of its operands."""
    moves = [any(slope is not None for slope in slopes) for slopes in inner]
    if isinstance(rule, Choice):
        if not any(moves):
            return (None,) * len(AXES)
        is_left = rule.takes_left(*numbers)
        return tuple(_either(xp, is_left, a, b) for a, b in zip(*inner, strict=True))
    found: list[Any] = [None] * len(AXES)
    for partial, is_moving, slopes in zip(rule, moves, inner, strict=True):
        if not is_moving or partial == 0:
            continue
        factor = partial if isinstance(partial, int) else partial(xp, value, *numbers)
        for axis, slope in enumerate(slopes):
            if slope is not None:
                term = slope if partial == 1 else factor * slope
                found[axis] = term if found[axis] is None else found[axis] + term
    return tuple(found)


def _either(xp: Any, is_left: Any, a: Any, b: Any) -> Any:
    if a is None and b is None:
        return None
    zero = xp.dtype.type(0)
    return xp.where(is_left, zero if a is None else a, zero if b is None else b)


def _mod_by_divisor(xp: Any, value: Any, a: Any, b: Any) -> Any:
    """a is value + n * b for a whole n, which is constant between the jumps."""
    return (value - a) / b


def _value_of(name: str, xp: Any, a: Any) -> Any:
    rule = OPS[name].point
    assert rule is not None
    return rule(xp, a)


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
    "sin": (lambda xp, value, a: _value_of("cos", xp, a),),
    "cos": (lambda xp, value, a: -_value_of("sin", xp, a),),
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
