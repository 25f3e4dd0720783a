"""Values and derivatives in one pass: every clause is a dual number.

With a value goes its derivative by x, by y and by z, or None for one that is 0 everywhere since no
path leads to that axis. ``derivatives`` has the rule of each operation. The values are computed by
the same rules as in ``dense``, and are the same bits.

A dual number takes the slope of one branch. Where branches meet at a point, ``one_sided`` finds the
slopes of the tape from both sides along each axis: if they agree they are the derivative. So a
point has its derivative wherever there is one, as far as second order tells which branch is taken
beside it. Where there is none this one is chosen:

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

from typing import Any

import numpy as np

from intervalvm.evaluate.one_sided import is_same, settle
from intervalvm.evaluate.points import Points, Rules
from intervalvm.ops import AXES, ROWS
from intervalvm.ops.derivatives import DERIVATIVES, JUMPS, KINKS, TAKEN, Choice, Partial
from intervalvm.tape.liveness import dying


def gradients(points: Points, ready: Points, rules: Rules) -> list[Any]:
    """The values of a tape and its derivatives by x, y and z, arrays of the points' shape.

    ``ready`` are the points as ``rules`` take them.
    """
    zero = points.xp.dtype.type(0)
    parts, kinks, jumps = _run(ready, rules)
    found = [points.broadcast(zero if part is None else part) for part in parts]
    if jumps is not None:
        kinks = None if kinks is None else kinks & ~jumps
        settle(points, points.broadcast(jumps), found, jumps=True)
    if kinks is not None:
        settle(points, points.broadcast(kinks), found, jumps=False)
    return found


def _run(points: Points, rules: Rules) -> tuple[tuple[Any, ...], Any, Any]:
    """Run the clauses: the root's (value, dx, dy, dz), and where to look at both sides of a point.

    A slope is None where it is 0 everywhere. Of the two masks one is where branches meet that the
    root is on, the other where the value of some clause may jump; None for nowhere.
    """
    tape, xp, dead = points.tape, points.xp, dying(points.tape)
    values: list[Any] = [None] * len(tape)
    slopes: list[tuple[Any, ...]] = [()] * len(tape)
    kinks: list[Any] = [None] * len(tape)
    jumps = None
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
                kinks[i] = _kinks(op.name, xp, [kinks[o] for o in operands], inner, numbers)
                if op.name in JUMPS and _moves(inner):
                    jumps = _join(jumps, JUMPS[op.name](xp, values[i], *numbers))
            for gone in dead[i]:
                values[gone], slopes[gone], kinks[gone] = None, (), None
        value, found, edges = values[-1], slopes[-1], kinks[-1]
        for slope in found:  # infinite or NaN: that of a root at 0
            if slope is not None:
                edges = _join(edges, (slope - slope != 0) & (value == value))
    return (value, *found), edges, jumps


def _moves(inner: list[tuple[Any, ...]]) -> bool:
    return any(slope is not None for slopes in inner for slope in slopes)


def _kinks(
    name: str, xp: Any, known: list[Any], inner: list[tuple[Any, ...]], numbers: list[Any]
) -> Any:
    """Where branches meet that a clause is on, their slopes differing; None for nowhere."""
    found = None
    if name in KINKS and _moves(inner):
        meets, zero = KINKS[name](*numbers), xp.dtype.type(0)
        if meets.any():
            for branches in zip(*inner, strict=True):
                a, b = (zero if slope is None else slope for slope in (*branches, None)[:2])
                found = _join(found, meets & ~is_same(xp, a, b))
    for kink, is_taken in zip(known, TAKEN.get(name, (None, None)), strict=False):
        if kink is not None:
            found = _join(found, kink if is_taken is None else kink & is_taken(*numbers))
    return found


def _join(a: Any, b: Any) -> Any:
    """Where either mask holds; None for one that holds nowhere."""
    if b is None or not b.any():
        return a
    return b if a is None else a | b


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
