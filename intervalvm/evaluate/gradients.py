"""Values and derivatives in one pass: every clause is a dual number.

A value has derivatives by some inputs, or None for a clause that does not depend on the input.
Rules are those of the rows. Values are bit for bit those of ``points``.

A dual number has the slope of one branch. Where branches meet, ``settle`` finds the one-sided
derivatives by each input by ``ops.rays``: the field has a derivative by an input if both limits are
its value and the one-sided derivatives are equal and opposite. So the derivative is found
wherever it exists, as far as second order determines the branches. Otherwise this one is chosen:

===================  ==============================================================================
``min max and or``   that of the operand that the value is: on a tie of ``min`` and ``max``, right
``abs`` at 0         as from above, 1
``floor ceil ...``   0, at their jumps too: ``round not compare rand mix`` as well
``mod``              between its jumps; at a jump the same rule
``sqrt`` at 0        infinite, and NaN where the operand's own derivative is 0, being inf * 0
===================  ==============================================================================

The derivatives of a NaN are unspecified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.arith.arrays import Arrays
from intervalvm.evaluate.points import Points, input_of
from intervalvm.ops import ROWS
from intervalvm.ops.rays import Ray, is_same
from intervalvm.ops.row import Op
from intervalvm.tape.liveness import dying


def run(points: Points, by: Sequence[str]) -> tuple[tuple[Any, ...], Any, Any]:
    """Run the clauses: the root's (value, *derivatives), and two masks of points to settle.

    A slope is None if it is 0 everywhere. One mask is where branches of the root meet, the other
    where some clause may jump; None if nowhere.
    """
    tape, xp, dead = points.tape, points.xp, dying(points.tape)
    values: list[Any] = [None] * len(tape)
    slopes: list[tuple[Any, ...]] = [()] * len(tape)
    kinks: list[Any] = [None] * len(tape)
    jumps = None
    with np.errstate(all="ignore"):
        for i, code in enumerate(tape.codes.tolist()):
            op, operands = ROWS[code], tape.operands(i)
            if not op.arity:
                values[i] = points.leaf(i)
                mine, one = input_of(tape, i), xp.dtype.type(1)
                slopes[i] = tuple(one if mine == name else None for name in by)
            else:
                numbers = [values[operand] for operand in operands]
                inner = [slopes[operand] for operand in operands]
                values[i] = op.point(xp, *numbers)
                slopes[i] = _chain(op, xp, inner, values[i], numbers)
                kinks[i] = _kinks(op, xp, [kinks[o] for o in operands], inner, numbers)
                if op.slope.jumps is not None and _moves(inner):
                    jumps = _join(jumps, op.slope.jumps(xp, values[i], *numbers))
            for gone in dead[i]:
                values[gone], slopes[gone], kinks[gone] = None, (), None
        value, found, edges = values[-1], slopes[-1], kinks[-1]
        for slope in found:  # infinite or NaN: that of sqrt at 0
            if slope is not None:
                edges = _join(edges, (slope - slope != 0) & (value == value))
    return (value, *found), edges, jumps


def _moves(inner: list[tuple[Any, ...]]) -> bool:
    return any(slope is not None for slopes in inner for slope in slopes)


def _kinks(
    op: Op, xp: Any, known: list[Any], inner: list[tuple[Any, ...]], numbers: list[Any]
) -> Any:
    """The mask of points where branches of a clause meet with different slopes, or None."""
    found = None
    if op.slope.kinks is not None and _moves(inner):
        meets, zero = op.slope.kinks(*numbers), xp.dtype.type(0)
        if meets.any():
            for branches in zip(*inner, strict=True):
                a, b = (zero if slope is None else slope for slope in (*branches, None)[:2])
                found = _join(found, meets & ~is_same(xp, a, b))
    for i, kink in enumerate(known):
        if kink is not None:
            taken = op.choice.taken[i](*numbers) if op.choice else True
            found = _join(found, kink & taken)
    return found


def _join(a: Any, b: Any) -> Any:
    """The union of two masks; None is empty."""
    if b is None or not b.any():
        return a
    return b if a is None else a | b


def _chain(
    op: Op,
    xp: Any,
    inner: list[tuple[Any, ...]],
    value: Any,
    numbers: list[Any],
) -> tuple[Any, ...]:
    """The slopes of a clause by its row, from those of its operands."""
    moves = [any(slope is not None for slope in slopes) for slopes in inner]
    if op.choice is not None:
        if not any(moves):
            return inner[0]
        is_left = op.choice.takes_left(*numbers)
        return tuple(_either(xp, is_left, a, b) for a, b in zip(*inner, strict=True))
    found: list[Any] = [None] * len(inner[0])
    for partial, is_moving, slopes in zip(op.slope.partials or (), moves, inner, strict=True):
        if not is_moving or partial == 0:
            continue
        factor = partial if isinstance(partial, int) else partial(xp, value, *numbers)
        for k, slope in enumerate(slopes):
            if slope is not None:
                term = slope if partial == 1 else factor * slope
                found[k] = term if found[k] is None else found[k] + term
    return tuple(found)


def _either(xp: Any, is_left: Any, a: Any, b: Any) -> Any:
    if a is None and b is None:
        return None
    zero = xp.dtype.type(0)
    return xp.where(is_left, zero if a is None else a, zero if b is None else b)


# --- where branches meet: the tape on both sides of a point -------------------------------------

TOGETHER = 1 << 18
"""Values of all clauses at a chunk of points."""
ValuesOf = Callable[[Points], Any]


def settle_all(
    points: Points,
    by: Sequence[str],
    kinks: Any,
    jumps: Any,
    found: Sequence[Any],
    values_of: ValuesOf | None = None,
) -> None:
    """Write existing derivatives where the masks of ``run`` are true into ``found``: the values,
    and the derivatives by each input, of the points' shape.

    ``values_of`` has the values of all clauses at some points, NumPy's if it is None."""
    values_of = _values if values_of is None else values_of
    if jumps is not None:
        kinks = None if kinks is None else kinks & ~jumps
        settle(points, by, points.broadcast(jumps), found, values_of, jumps=True)
    if kinks is not None:
        settle(points, by, points.broadcast(kinks), found, values_of, jumps=False)


def settle(
    points: Points,
    by: Sequence[str],
    edges: Any,
    found: Sequence[Any],
    values_of: ValuesOf,
    *,
    jumps: bool,
) -> None:
    """Write existing derivatives where ``edges`` is true into ``found``: see ``settle_all``.

    ``jumps`` says that clauses may jump there. This runs on the CPU, whatever the back end.
    """
    module = points.xp.module
    if not points.shape:  # a mask picks from arrays with an axis
        points = replace(points, shape=(1,))
        edges, *found = (array.reshape(1) for array in (edges, *found))
    value, *slopes = (_host(array[edges]) for array in found)
    arrays = {
        name: _host(module.broadcast_to(array, points.shape)[edges])
        for name, array in points.arrays.items()
    }
    on_host = replace(points, xp=Arrays(np, points.xp.dtype))
    count = max(1, TOGETHER // len(points.tape))
    for start in range(0, value.size, count):
        part = slice(start, start + count)
        inputs = {name: array[part] for name, array in arrays.items()}
        some = replace(on_host, arrays=inputs, shape=value[part].shape)
        with np.errstate(all="ignore"):
            rays = _follow(some, by, values_of(some), jumps=jumps)
            for slope, ahead, behind in zip(slopes, rays, rays, strict=True):
                slope[part] = _agreed(value[part], slope[part], ahead, behind)
    for array, slope in zip(found[1:], slopes, strict=True):
        array[edges] = module.asarray(slope)


def _host(array: Any) -> Any:
    return array if isinstance(array, np.ndarray) else array.get()


def _agreed(value: Any, chosen: Any, ahead: Ray, behind: Ray) -> Any:
    """The derivative if both sides are equal, else the chosen one."""
    xp = Arrays(np, chosen.dtype)
    size = np.where(np.isfinite(chosen), abs(chosen), 0)
    is_smooth = is_same(xp, ahead.d, -behind.d, size)
    is_continuous = (ahead.v == value) & (behind.v == value)
    return np.where(is_smooth & is_continuous, (ahead.d - behind.d) / 2, chosen)


def _follow(
    points: Points, by: Sequence[str], values: Sequence[Any], *, jumps: bool
) -> Iterator[Ray]:
    """The tape's root along the rays from each point: ahead and back along each input of ``by``."""
    tape, xp, dead = points.tape, points.xp, dying(points.tape)
    zero = xp.dtype.type(0)
    ways = np.kron(np.eye(len(by)), [1, -1]).astype(xp.dtype)  # by input, along each ray
    along: dict[str | None, Any] = {name: way[:, None] for name, way in zip(by, ways, strict=True)}
    rays: dict[int, Ray] = {}
    for i in range(len(tape)) if jumps else _taken(points, values):
        op, operands = ROWS[tape.codes[i]], tape.operands(i)
        if not op.arity:
            rays[i] = Ray(values[i], along.get(input_of(tape, i), zero), zero)
        else:
            taken = [rays[k] for k in operands if k in rays]
            if op.choice and len(taken) == 1:  # the value is that of the one that is taken
                ray = taken[0]
            else:
                known = (rays.get(k) or Ray(values[k], xp.nan, xp.nan) for k in operands)
                ray = op.slope.ray(xp, *known)
            rays[i] = ray if jumps else ray._replace(v=values[i])
        for gone in dead[i]:
            rays.pop(gone, None)
    root = rays[len(tape) - 1]
    whole = [np.broadcast_to(part, (2 * len(by), *points.shape)) for part in root]
    return (Ray(*parts) for parts in zip(*whole, strict=True))


def _values(points: Points) -> list[Any]:
    """The values of all clauses."""
    tape = points.tape
    values: list[Any] = []
    for i, code in enumerate(tape.codes.tolist()):
        op, numbers = ROWS[code], (values[operand] for operand in tape.operands(i))
        values.append(op.point(points.xp, *numbers) if op.arity else points.leaf(i))
    return values


def _taken(points: Points, values: Sequence[Any]) -> list[int]:
    """The clauses on which the root near some point may depend."""
    tape = points.tape
    where: list[NDArray[np.bool_] | None] = [None] * len(tape)
    where[-1] = np.ones(points.shape, np.bool_)
    for i in reversed(range(len(tape))):
        mask = where[i]
        if mask is None or not mask.any():
            where[i] = None
            continue
        operands = tape.operands(i)
        choice = ROWS[tape.codes[i]].choice
        for k, operand in enumerate(operands):
            mine = mask & choice.taken[k](*(values[o] for o in operands)) if choice else mask
            other = where[operand]
            where[operand] = mine if other is None else other | mine
    return [i for i, mask in enumerate(where) if mask is not None]
