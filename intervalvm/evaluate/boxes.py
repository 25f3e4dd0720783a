"""A tape over boxes with NumPy: the interval of each clause, and the choices that are proven."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from intervalvm.arith.arrays import IntervalArrays
from intervalvm.ops import ROWS
from intervalvm.ops.bounds import RULES, Rule, constant
from intervalvm.ops.choices import CHOICES, SIGN_CHOICES, Choose, Interval
from intervalvm.tape import Tape
from intervalvm.tape.shorten import Trace, sign_demanded


@dataclass(frozen=True)
class Rules:
    """What bounds mean: of each operation the interval and the choices, of a tape the constants.

    ``sign_choices`` are those where nothing but ``v < 0`` is asked of the result. ``constants(tape,
    dtype)`` gives bounds of every clause that is one: arrays (len(tape),) of lower and upper.
    """

    intervals: dict[str, Rule]
    choices: dict[str, Choose]
    sign_choices: dict[str, Choose]
    constants: Callable[[Tape, np.dtype[Any]], tuple[Any, Any]]


NEAREST = Rules(RULES, CHOICES, SIGN_CHOICES, lambda tape, dtype: (tape.constants(dtype),) * 2)
"""Bounds on what floats compute."""


@dataclass(frozen=True)
class Bounds:
    """The interval of each clause over some regions, and the choices that were proven."""

    values: list[Interval]
    root: Interval
    trace: Trace


def bounds(
    tape: Tape,
    axes: dict[str, Interval],
    free: Sequence[Interval],
    dtype: np.dtype[Any],
    *,
    sign_only: bool = False,
    rules: Rules = NEAREST,
) -> Bounds:
    """Evaluate ``tape`` over regions at once.

    ``axes`` maps "var-x", "var-y", "var-z" to intervals, ``free`` has one for each variable; all
    their arrays broadcast to the regions' shape (m,). With ``sign_only`` the trace keeps no more
    than the answer to ``v < 0``.
    """
    xp = IntervalArrays(dtype)
    demanded = sign_demanded(tape) if sign_only else np.zeros(len(tape), bool)
    constants = rules.constants(tape, dtype)
    regions = np.broadcast_shapes(*(np.shape(i.lower) for i in (*axes.values(), *free)))
    left_only, right_only = [0] * len(tape), [0] * len(tape)
    values: list[Interval] = []
    with np.errstate(all="ignore"):
        for i, code in enumerate(tape.codes.tolist()):
            op = ROWS[code]
            operands = [values[operand] for operand in tape.operands(i)]
            if op.name == "const":
                values.append(constant(xp, *(ends[i] for ends in constants)))
            elif op.name == "var":
                values.append(free[tape.left[i]])
            elif op.is_input:
                values.append(axes[op.name])
            else:
                values.append(rules.intervals[op.name](xp, *operands))
            if op.has_choice:
                choices = rules.sign_choices if demanded[i] else rules.choices
                left, right = choices[op.name](xp, *operands)
                left_only[i], right_only[i] = as_mask(left, regions), as_mask(right, regions)
    root = Interval(*(np.broadcast_to(part, regions) for part in values[-1]))
    return Bounds(values, root, Trace(left_only, right_only))


def as_mask(flags: Any, regions: tuple[int, ...]) -> int:
    """Flags of regions as an integer: bit k is region k."""
    packed = np.packbits(np.broadcast_to(flags, regions).ravel(), bitorder="little")
    return int.from_bytes(packed.tobytes(), "little")
