"""A tape over boxes with NumPy: the interval of each clause, and proven choices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from intervalvm.arith.arrays import IntervalArrays
from intervalvm.arith.directed import DOWN, UP, DirectedArrays
from intervalvm.arith.nearest import NextFloat
from intervalvm.ops import ROWS
from intervalvm.ops.row import Choose, Interval, Op, constant
from intervalvm.tape import Tape
from intervalvm.tape.liveness import dying
from intervalvm.tape.shorten import Trace, sign_demanded
from intervalvm.words import Meaning


@dataclass(frozen=True)
class IntervalRules:
    """What bounds mean: of each operation the interval and the choices, of a tape the constants.

    ``sign_choices`` are those where nothing but ``v < 0`` is asked of the result. ``absorptions``
    are choices of other operations, where a float absorbs the other operand. ``constants(tape,
    dtype)`` gives bounds of every clause that is one: arrays (len(tape),) of lower and upper.
    """

    intervals: dict[str, Callable[..., Interval]]
    choices: dict[str, Choose]
    sign_choices: dict[str, Choose]
    absorptions: dict[str, Choose]
    constants: Callable[[Tape, np.dtype[Any]], tuple[Any, Any]]


CHOICES = {op.name: op.choice for op in ROWS if op.choice is not None}
FLOAT_RULES = IntervalRules(
    {op.name: op.floats for op in ROWS if op.arity},
    {name: choice.choose for name, choice in CHOICES.items()},
    {name: choice.choose_sign for name, choice in CHOICES.items()},
    {op.name: op.absorption for op in ROWS if op.absorption is not None},
    lambda tape, dtype: (tape.constants(dtype),) * 2,
)
"""Bounds of the float program."""


def _real_interval(op: Op) -> Callable[..., Interval]:
    """Bounds on the real function; ``maybe_nan`` says where it may be undefined."""

    def interval(xp: Any, *operands: Interval) -> Interval:
        system = NextFloat(xp)
        lower, upper = op.reals(system, *operands)
        _, maybe_undefined = op.domain(system, (lower, upper), *operands)
        for operand in operands:
            maybe_undefined = maybe_undefined | operand.maybe_nan
        return Interval(lower, upper, maybe_undefined)

    return interval


def _real_choice(choose: Choose) -> Choose:
    """An operand that may be undefined is kept, since the result may then be undefined."""

    def choice(xp: Any, a: Interval, b: Interval) -> tuple[Any, Any]:
        left_only, right_only = choose(xp, a, b)
        return left_only & ~b.maybe_nan, right_only & ~a.maybe_nan

    return choice


def _real_constants(tape: Tape, dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """Bounds of the float64 of each constant; NaN if it is not a number."""
    xp = DirectedArrays(dtype)
    number = np.where(np.isfinite(tape.wide), tape.wide, np.nan)
    with np.errstate(all="ignore"):
        return xp.towards(DOWN, number, np.nan), xp.towards(UP, number, np.nan)


REAL_RULES = IntervalRules(
    {op.name: _real_interval(op) for op in ROWS if op.arity},
    {name: _real_choice(choose) for name, choose in FLOAT_RULES.choices.items()},
    {name: _real_choice(choose) for name, choose in FLOAT_RULES.sign_choices.items()},
    {},
    _real_constants,
)
"""Bounds of the real function by rules for compiled lanes, up to two ulp wider."""
RULES = {Meaning.FLOAT: FLOAT_RULES, Meaning.REAL: REAL_RULES}


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
    rules: IntervalRules = FLOAT_RULES,
    keep: bool = True,
) -> Bounds:
    """Evaluate ``tape`` over m regions.

    ``axes`` maps "var-x", "var-y", "var-z" to intervals, ``free`` has one for each variable; their
    arrays broadcast to (m,). With ``sign_only`` the trace only keeps the sign. Without ``keep`` an
    interval is freed at its last use, so ``values`` has few.
    """
    xp = IntervalArrays(dtype)
    demanded = sign_demanded(tape) if sign_only else np.zeros(len(tape), bool)
    constants = rules.constants(tape, dtype)
    regions = np.broadcast_shapes(*(np.shape(i.lower) for i in (*axes.values(), *free)))
    left_only, right_only = [0] * len(tape), [0] * len(tape)
    dead = [()] * len(tape) if keep else dying(tape)
    values: list[Any] = []
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
            for gone in dead[i]:
                values[gone] = None
    root = Interval(*(np.broadcast_to(part, regions) for part in values[-1]))
    return Bounds(values, root, Trace(left_only, right_only))


def as_mask(flags: Any, regions: tuple[int, ...]) -> int:
    """Flags of regions as an integer: bit k is region k."""
    packed = np.packbits(np.broadcast_to(flags, regions).ravel(), bitorder="little")
    return int.from_bytes(packed.tobytes(), "little")
