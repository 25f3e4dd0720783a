"""Derivatives where branches meet, by what a tape does on both sides of a point.

The field has a derivative along an axis where its limits from both sides are its value, and the
one-sided derivatives, which ``rays`` finds, are equal and opposite. Few points are on an edge, and
of each most clauses lie on branches that are not taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.arith.arrays import Arrays
from intervalvm.evaluate.points import Points
from intervalvm.ops import AXES, ROWS
from intervalvm.ops.rays import Ray
from intervalvm.tape.liveness import dying

BLOCK = 1 << 18
"""Values that are held at a time: those of all clauses at some points."""


def settle(points: Points, edges: Any, found: list[Any], *, jumps: bool) -> None:
    """Write the derivatives that exist where ``edges`` is true into ``found``: value, dx, dy, dz.

    All are arrays of the points' shape. ``jumps`` says that clauses may jump there. The slopes are
    found on the CPU, whatever the back end.
    """
    module = points.xp.module
    if not points.shape:  # a mask picks from arrays with an axis
        points = replace(points, shape=(1,))
        edges, *found = (array.reshape(1) for array in (edges, *found))
    value, *slopes = (_host(array[edges]) for array in found)
    axes, free = (
        [_host(module.broadcast_to(array, points.shape)[edges]) for array in arrays]
        for arrays in (points.axes, points.free)
    )
    on_host = replace(points, xp=Arrays(np, points.xp.dtype))
    count = max(1, BLOCK // len(points.tape))
    for start in range(0, value.size, count):
        part = slice(start, start + count)
        some = replace(
            on_host,
            axes=[array[part] for array in axes],
            free=[array[part] for array in free],
            shape=value[part].shape,
        )
        with np.errstate(all="ignore"):
            rays = _follow(some, jumps=jumps)
            for slope, ahead, behind in zip(slopes, rays, rays, strict=True):
                slope[part] = _agreed(value[part], slope[part], ahead, behind)
    for array, slope in zip(found[1:], slopes, strict=True):
        array[edges] = module.asarray(slope)


def _host(array: Any) -> Any:
    return array if isinstance(array, np.ndarray) else array.get()


def is_same(xp: Arrays, a: Any, b: Any, size: Any = 0) -> Any:
    """Whether two slopes may be one that was rounded in two ways, as terms of some size made it."""
    largest = xp.maximum(xp.maximum(xp.abs(a), xp.abs(b)), xp.narrow(size))
    return xp.abs(a - b) <= xp.narrow(np.finfo(xp.dtype).eps ** 0.5) * largest


def _agreed(value: Any, chosen: Any, ahead: Ray, behind: Ray) -> Any:
    """The derivative where both sides have the same, else the one that was chosen."""
    xp = Arrays(np, chosen.dtype)
    size = np.where(np.isfinite(chosen), abs(chosen), 0)
    is_smooth = is_same(xp, ahead.d, -behind.d, size)
    is_continuous = (ahead.v == value) & (behind.v == value)
    return np.where(is_smooth & is_continuous, (ahead.d - behind.d) / 2, chosen)


def _follow(points: Points, *, jumps: bool) -> Iterator[Ray]:
    """The tape's root along the rays from each point: +x, -x, +y, -y, +z, -z."""
    tape, xp, dead = points.tape, points.xp, dying(points.tape)
    values = _values(points)
    taken = [jumps] * len(tape) if jumps else _taken(points, values)
    zero = xp.dtype.type(0)
    ways = np.kron(np.eye(len(AXES)), [1, -1]).astype(xp.dtype)  # by axis, along each ray
    steps = {axis: way[:, None] for axis, way in zip(AXES.values(), ways, strict=True)}
    rays: list[Any] = [None] * len(tape)
    for i, code in enumerate(tape.codes.tolist()):
        op = ROWS[code]
        if not taken[i]:
            rays[i] = Ray(values[i], xp.nan, xp.nan)
        elif not op.arity:
            rays[i] = Ray(values[i], steps.get(op.name, zero), zero)
        else:
            ray = op.slope.ray(xp, *(rays[operand] for operand in tape.operands(i)))
            rays[i] = ray if jumps else ray._replace(v=values[i])
        for gone in dead[i]:
            rays[gone] = None
    whole = [np.broadcast_to(part, (2 * len(AXES), *points.shape)) for part in rays[-1]]
    return (Ray(*parts) for parts in zip(*whole, strict=True))


def _values(points: Points) -> list[Any]:
    """The values of all clauses."""
    tape = points.tape
    values: list[Any] = []
    for i, code in enumerate(tape.codes.tolist()):
        op, numbers = ROWS[code], (values[operand] for operand in tape.operands(i))
        values.append(op.point(points.xp, *numbers) if op.arity else points.leaf(i))
    return values


def _taken(points: Points, values: list[Any]) -> list[bool]:
    """By clause, whether the root beside some point may depend on it."""
    tape = points.tape
    where: list[NDArray[np.bool_] | None] = [None] * len(tape)
    where[-1] = np.ones(points.shape, np.bool_)
    for i in reversed(range(len(tape))):
        mask, operands = where[i], tape.operands(i)
        if mask is None or not mask.any():
            where[i] = None
            continue
        choice = ROWS[tape.codes[i]].choice
        for k, operand in enumerate(operands):
            mine = mask & choice.taken[k](*(values[o] for o in operands)) if choice else mask
            other = where[operand]
            where[operand] = mine if other is None else other | mine
    return [mask is not None for mask in where]
