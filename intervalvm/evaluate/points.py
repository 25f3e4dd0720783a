"""The definition: every clause over whole arrays, in the tape's order.

``naive`` keeps every clause's array, like the Prospero Challenge's own program; ``dense`` frees an
array at its last use. Both run the rules of ``ops`` on NumPy or CuPy arrays, with the same bits.
This is the reference for every other evaluator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from intervalvm.arguments import reals
from intervalvm.arith.arrays import Arrays, as_dtype
from intervalvm.errors import OptionError
from intervalvm.expr import TapeLike, as_value_tape, settings_for
from intervalvm.memory import Amount, require, require_lists
from intervalvm.ops import AXES, ROWS
from intervalvm.ops.row import Rule
from intervalvm.tape import Tape
from intervalvm.tape.liveness import dependencies, dying

AXIS_OPS = list(AXES.values())


@dataclass(frozen=True)
class Points:
    """A tape and the arrays of its inputs, checked and rounded."""

    tape: Tape
    xp: Arrays
    axes: list[Any]
    free: list[Any]
    shape: tuple[int, ...]
    constants: Any
    """The values of ``const`` clauses, by clause."""

    def leaf(self, i: int) -> Any:
        """The value of clause ``i``, a constant or an input."""
        name, place = ROWS[self.tape.codes[i]].name, self.tape.left[i]
        if name == "const":
            return self.constants[i]
        return self.free[place] if name == "var" else self.axes[AXIS_OPS.index(name)]

    def peak_bytes(self, *, keep: bool = False) -> int:
        shapes = [a.shape for a in self.axes], [a.shape for a in self.free]
        return peak_bytes(self.tape, *shapes, self.xp.dtype, keep=keep)

    def require_room(self, max_memory: Amount | None, *, keep: bool) -> None:
        """Raise DoesNotFit if an evaluation, which may ``keep`` all arrays, does not fit."""
        require_lists(len(self.tape), max_memory)
        way_out = "use engine='dense'" if keep else "evaluate fewer at a time"
        what = f"engine={'naive' if keep else 'dense'!r} on {self.shape} points"
        require(self.peak_bytes(keep=keep), what, way_out, max_memory)

    def broadcast(self, value: Any) -> Any:
        """A new array of the whole shape."""
        module = self.xp.module
        return module.array(module.broadcast_to(module.asarray(value), self.shape))


def prepare(
    tape: TapeLike,
    x: Any,
    y: Any,
    z: Any = 0.0,
    *,
    variables: Mapping[str, Any] | None = None,
    module: ModuleType = np,
    dtype: Any,
) -> Points:
    """The points of an evaluation. Raises as ``evaluate`` does."""
    variables, tape = settings_for(tape, variables), as_value_tape(tape)
    chosen = as_dtype(dtype)
    with np.errstate(all="ignore"):
        axes = [
            reals(name, value, chosen, module) for name, value in zip("xyz", (x, y, z), strict=True)
        ]
        free = [
            reals(name, value, chosen, module)
            for name, value in zip(tape.variables, tape.settings(variables), strict=True)
        ]
    try:
        shape = np.broadcast_shapes(*(array.shape for array in (*axes, *free)))
    except ValueError as error:
        shapes = ", ".join(str(array.shape) for array in (*axes, *free))
        raise OptionError(
            f"x, y, z and the variables do not broadcast together: {shapes}"
        ) from error
    return Points(tape, Arrays(module, chosen), axes, free, shape, tape.constants(chosen))


PointRules = Sequence[Rule | None]
"""By operation what computes it, called as the rules of ``ops`` are; None for inputs."""
POINT_RULES: PointRules = [op.point if op.arity else None for op in ROWS]


def run(points: Points, rules: PointRules = POINT_RULES, *, keep: bool = False) -> Any:
    """Evaluate the clauses by ``rules``. With ``keep`` every array is kept to the end."""
    tape, xp = points.tape, points.xp
    dead = dying(tape)
    values: list[Any] = [None] * len(tape)
    rows = [(rule, op.arity) for rule, op in zip(rules, ROWS, strict=True)]
    codes, left, right = tape.codes.tolist(), tape.left.tolist(), tape.right.tolist()
    with np.errstate(all="ignore"):
        for i, code in enumerate(codes):
            rule, arity = rows[code]
            if rule is None:
                values[i] = points.leaf(i)
            elif arity == 1:
                values[i] = rule(xp, values[left[i]])
            else:
                values[i] = rule(xp, values[left[i]], values[right[i]])
            if not keep:
                for gone in dead[i]:
                    values[gone] = None
    root = values[-1]
    return root if root.shape == points.shape else points.broadcast(root)


def peak_bytes(
    tape: Tape,
    axes: list[tuple[int, ...]],
    free: list[tuple[int, ...]],
    dtype: np.dtype[Any],
    *,
    keep: bool = False,
) -> int:
    """The peak memory of an evaluation, with temporaries and without inputs.

    A clause's array has the broadcast shape of the inputs it depends on; constants and inputs are
    not copied.
    """
    # by shape, not by input: there are few shapes, and may be many inputs
    distinct = list(dict.fromkeys([*axes, *free]))
    bit = {shape: 1 << i for i, shape in enumerate(distinct)}
    depends = dependencies(tape, [bit[shape] for shape in axes], [bit[shape] for shape in free])
    size: dict[int, int] = {}
    for mask in set(depends):
        shapes = [shape for i, shape in enumerate(distinct) if mask >> i & 1]
        size[mask] = int(np.prod(np.broadcast_shapes(*shapes), dtype=object)) * dtype.itemsize
    held = peak = largest = 0
    dead = dying(tape)
    costs = [
        0 if ROWS[code].arity == 0 else size[mask]
        for code, mask in zip(tape.codes.tolist(), depends, strict=True)
    ]
    for i, cost in enumerate(costs):
        held += cost
        peak = max(peak, held)
        largest = max(largest, cost)
        if not keep:
            held -= sum(costs[gone] for gone in dead[i])
    wide = largest * 8 // dtype.itemsize
    codes: set[int] = set(tape.codes.tolist())
    return peak + wide * max(ROWS[code].temporaries for code in codes)
