"""The definition: every clause over whole arrays, in the tape's order.

``naive`` keeps every clause's array, like the Prospero Challenge's own program; ``dense`` frees an
array at its last use. Both run the rules of ``ops`` on NumPy or CuPy arrays, with the same bits.
This is the reference for every other evaluator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from intervalvm.arith.arrays import Arrays
from intervalvm.memory import Amount, require, require_lists
from intervalvm.ops import AXES, CODE, ROWS
from intervalvm.ops.row import Rule
from intervalvm.tape import Tape
from intervalvm.tape.liveness import dependencies, dying

AXIS_OF = {op: axis for axis, op in AXES.items()}


def input_of(tape: Tape, i: int) -> str | None:
    """The name of the input that clause ``i`` reads: an axis or a variable; None for others."""
    name = ROWS[tape.codes[i]].name
    return tape.variables[tape.left[i]] if name == "var" else AXIS_OF.get(name)


def reads(tape: Tape) -> set[str]:
    """The names of the inputs that some clause reads."""
    free = np.unique(tape.left[tape.codes == CODE["var"]]).tolist()
    return {*tape.axes, *(tape.variables[k] for k in free)}


@dataclass(frozen=True)
class Points:
    """A tape and the arrays of its inputs, of one dtype; their shapes broadcast."""

    tape: Tape
    xp: Arrays
    arrays: Mapping[str, Any]
    """By name of the input; the tape may read fewer."""
    shape: tuple[int, ...]
    constants: Any
    """The values of ``const`` clauses, by clause."""

    @staticmethod
    def of(
        tape: Tape, inputs: Mapping[str, Any], dtype: np.dtype[Any], module: ModuleType = np
    ) -> Points:
        """The points of some inputs, numbers or arrays of real numbers.

        Raises ValueError if they do not broadcast.
        """
        with np.errstate(all="ignore"):
            arrays = {name: module.asarray(value, dtype) for name, value in inputs.items()}
        shape = np.broadcast_shapes(*(array.shape for array in arrays.values()))
        return Points(tape, Arrays(module, dtype), arrays, shape, tape.constants(dtype))

    def leaf(self, i: int) -> Any:
        """The value of clause ``i``, a constant or an input."""
        name = input_of(self.tape, i)
        return self.constants[i] if name is None else self.arrays[name]

    def peak_bytes(self, *, keep: bool = False) -> int:
        shapes = {name: array.shape for name, array in self.arrays.items()}
        return peak_bytes(self.tape, shapes, self.xp.dtype, keep=keep)

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


PointRules = Sequence[Rule | None]
"""By operation what computes it, called as the rules of ``ops`` are; None for inputs."""
POINT_RULES: PointRules = [op.point if op.arity else None for op in ROWS]


def run(
    points: Points,
    rules: PointRules = POINT_RULES,
    *,
    keep: bool = False,
    after: Callable[[int], object] | None = None,
) -> Any:
    """Evaluate the clauses by ``rules``. With ``keep`` every array is kept to the end.

    ``after(i)`` is called after clause ``i``.
    """
    tape, xp, dead = points.tape, points.xp, dying(points.tape)
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
            if after is not None:
                after(i)
    root = values[-1]
    is_new = root.shape == points.shape and not any(root is a for a in points.arrays.values())
    return root if is_new else points.broadcast(root)


def peak_bytes(
    tape: Tape,
    inputs: Mapping[str, tuple[int, ...]],
    dtype: np.dtype[Any],
    *,
    keep: bool = False,
) -> int:
    """The peak memory of an evaluation, with temporaries and without inputs, whose shapes it takes.

    A clause's array has the broadcast shape of the inputs it depends on; constants and inputs are
    not copied.
    """
    # by shape, not by input: there are few shapes, and may be many inputs
    distinct = list(dict.fromkeys(inputs.values()))
    bit = {shape: 1 << i for i, shape in enumerate(distinct)}
    axes, free = (
        [bit[inputs[name]] if name in inputs else 0 for name in names]
        for names in (AXES, tape.variables)
    )
    depends = dependencies(tape, axes, free)
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
