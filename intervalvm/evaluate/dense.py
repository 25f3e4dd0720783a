"""The definition: every clause over whole arrays, in the tape's order.

``naive`` keeps every clause's array, as the Prospero Challenge's own program does; ``dense`` frees
an array at its last use. Both run the rules of ``ops`` on NumPy or CuPy arrays and give the same
bits. Every other evaluator is tested against this one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from intervalvm.arguments import brief, is_word, reals
from intervalvm.compiler.slots import dying
from intervalvm.environment import in_default_environment
from intervalvm.errors import OptionError
from intervalvm.evaluate.arrays import Arrays, array_module, as_dtype
from intervalvm.evaluate.device import device_errors
from intervalvm.expr import TapeLike, as_value_tape, settings_for
from intervalvm.memory import Amount, require, require_lists
from intervalvm.ops import AXES, ROWS, Rule
from intervalvm.tape import Tape

ENGINES = ("dense", "naive")
AXIS_OPS = list(AXES.values())


@in_default_environment
def evaluate(
    tape: TapeLike,
    x: Any,
    y: Any,
    z: Any = 0.0,
    *,
    variables: Mapping[str, Any] | None = None,
    engine: str = "dense",
    backend: str = "numpy",
    dtype: Any = "float32",
    max_memory: Amount | None = None,
) -> Any:
    """The value of ``tape`` at each point, in ``dtype``, of the shape that the inputs broadcast to.

    ``x``, ``y``, ``z`` and the values of ``variables`` are real numbers or arrays of them; each is
    rounded once to ``dtype``. NaN and infinity go through as IEEE 754 has it. A truth, such as
    ``x < y``, is 1 or 0. With ``backend="cupy"`` arrays are CuPy's, and so is the result. Raises
    ArgumentTypeError for what is no real number, such as text, None or a complex number,
    OptionError for an integer beyond float64, DoesNotFit if the arrays would need more than
    ``max_memory`` bytes (by default: than is available), VariableError for a variable that is not
    set, BackendError where the back end is not there, DeviceError where the GPU fails.
    """
    if not is_word(engine, ENGINES):
        raise OptionError(f"no engine {brief(engine)} for evaluate: choose 'dense' or 'naive'")
    with device_errors():
        points = prepare(tape, x, y, z, variables=variables, backend=backend, dtype=dtype)
        if backend == "numpy":
            require_lists(len(points.tape), max_memory)
            way_out = "use engine='dense'" if engine == "naive" else "evaluate fewer at a time"
            needed = points.peak_bytes(engine)
            require(needed, f"engine={engine!r} on {points.shape} points", way_out, max_memory)
        points, rules = with_rules(points, backend)
        value = _points(points, rules, keep=engine == "naive")
        return value if value.shape == points.shape else points.broadcast(value)


@dataclass(frozen=True)
class Points:
    """What an evaluation is given, checked and rounded: a tape and the arrays of its inputs."""

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

    def peak_bytes(self, engine: str) -> int:
        shapes = [a.shape for a in self.axes], [a.shape for a in self.free]
        return peak_bytes(self.tape, *shapes, self.xp.dtype, engine)

    def broadcast(self, value: Any) -> Any:
        """A new array of the whole shape."""
        module = self.xp.module
        return module.array(module.broadcast_to(module.asarray(value), self.shape))


def prepare(
    tape: TapeLike,
    x: Any,
    y: Any,
    z: Any,
    *,
    variables: Mapping[str, Any] | None,
    backend: str,
    dtype: Any,
) -> Points:
    """The points of an evaluation, or the error that ``evaluate`` promises."""
    variables, tape = settings_for(tape, variables), as_value_tape(tape)
    chosen = as_dtype(dtype)
    module = array_module(backend)
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


Rules = Sequence[Rule | None]
"""By operation what computes it, called as the rules of ``ops`` are; None for inputs."""


def with_rules(points: Points, backend: str) -> tuple[Points, Rules]:
    """What computes the operations on a back end's arrays, and the points as that takes them."""
    if backend == "numpy":
        return points, [op.point for op in ROWS]
    from intervalvm.gpu.dense import Clauses

    clauses = Clauses(points.xp.module, points.xp.dtype)
    return clauses.prepared(points), clauses.rules


def _points(points: Points, rules: Rules, *, keep: bool) -> Any:
    """Run the clauses by the ``rules`` of their operations.

    ``keep`` holds every array to the end instead of to its last use.
    """
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
    return values[-1]


def peak_bytes(
    tape: Tape,
    axes: list[tuple[int, ...]],
    free: list[tuple[int, ...]],
    dtype: np.dtype[Any],
    engine: str,
) -> int:
    """The most bytes that an evaluation holds at once, inputs left out, temporaries included.

    A clause's array has the shape that the inputs it depends on broadcast to; a constant and an
    input cost nothing, since neither is copied.
    """
    # inputs of one shape are told apart by nobody: there are few shapes, and may be many inputs
    distinct = list(dict.fromkeys([*axes, *free]))
    bit = {shape: 1 << i for i, shape in enumerate(distinct)}
    depends = _dependencies(tape, [bit[shape] for shape in axes], [bit[shape] for shape in free])
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
        if engine != "naive":
            held -= sum(costs[gone] for gone in dead[i])
    wide = largest * 8 // dtype.itemsize
    return peak + wide * max(ROWS[code].temporaries for code in set(tape.codes.tolist()))


def _dependencies(tape: Tape, axes: list[int], free: list[int]) -> list[int]:
    """For each clause, the bits of all axes and free variables that it depends on."""
    axis_bit = dict(zip(AXIS_OPS, axes, strict=True))
    masks: list[int] = []
    left, right = tape.left.tolist(), tape.right.tolist()
    for i, code in enumerate(tape.codes.tolist()):
        op = ROWS[code]
        if op.name == "var":
            masks.append(free[left[i]])
        elif op.arity == 0:
            masks.append(axis_bit.get(op.name, 0))
        else:
            masks.append(masks[left[i]] | (masks[right[i]] if op.arity == 2 else 0))
    return masks
