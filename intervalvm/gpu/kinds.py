"""What the device functions compute, over any namespace of the rules.

``rules`` makes each of them for a GPU and for the simulator. A call of ``KINDS`` has as many
operands as any variant, of which one uses its arity.

==============================  ================================================================
``point(v, a, b, c)``           the value at a point; a truth is 1 or 0
``bounds(v, *operands)``        (lower, upper, maybe_nan, left_only, right_only), operands likewise
                                as lower, upper, maybe_nan, three times
``strict(v, *operands)``        the same of plain programs, for evaluators: the bits of NumPy, which
                                ``bounds`` contains, and choices that hold for slopes too
``literal(v, *operands)``       (always, never)
``constant(number)``            (lower, upper, maybe_nan)
``dual(v, bits, *operands)``    (value, *slopes, kink, jump) of plain programs, of two operands as
                                value, *slopes, kink; ``bits`` are the record's third word
==============================  ================================================================

Duals are those of ``jit.duals``: slopes along ``DIRECTIONS`` directions, whether branches meet with
different slopes, and whether the value may jump. Bits say which terms are there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any, NamedTuple

from intervalvm.compiler.program import VARIANTS, Variant
from intervalvm.compiler.records import (
    COMBINATIONS,
    LITERALS,
    choice,
    interval_value,
    is_combination,
    point_value,
    proven,
)
from intervalvm.jit.groups import GROUP_VARIANTS
from intervalvm.jit.request import DIRECTIONS, MOVES, RIGHT_TERMS
from intervalvm.ops import OPS
from intervalvm.ops.rays import is_same
from intervalvm.ops.row import Interval, Op, constant


def _point(variant: Variant, xp: Any, operands: list[Any]) -> tuple[Any, ...]:
    if is_combination(variant):
        a, b = (operand != 0.0 for operand in operands)
        value = COMBINATIONS[variant.op](a, ~a, b, ~b)[0]
    else:
        value = point_value(variant, xp, operands)
    return (xp.where(value, 1.0, 0.0) if variant.out == "t" else value,)


def _bounds(variant: Variant, xp: Any, operands: list[Any]) -> tuple[Any, ...]:
    found = interval_value(variant, xp, operands)
    only = choice(variant, xp, operands) if variant.has_choice else (xp.no, xp.no)
    return (*found, *only)


def _strict(variant: Variant, xp: Any, operands: list[Any]) -> tuple[Any, ...]:
    """Where the operands of ``min`` are equal both matter for slopes, and where one is NaN."""
    *found, left_only, right_only = _bounds(variant, xp, operands)
    if variant.has_choice and OPS[variant.op].slope.kinks is not None:
        a, b = operands
        apart = ((a.upper < b.lower) | (b.upper < a.lower)) & ~(a.maybe_nan | b.maybe_nan)
        left_only, right_only = left_only & apart, right_only & apart
    return (*found, left_only, right_only)


def _constant(_variant: None, xp: Any, operands: list[Any]) -> tuple[Any, ...]:
    return tuple(constant(xp, operands[0], operands[0]))


class Dual(NamedTuple):
    """A value with its slopes, and whether branches meet."""

    value: Any
    slopes: Sequence[Any]
    kink: Any


def _dual(variant: Variant, xp: Any, operands: list[Dual], bits: list[Any]) -> tuple[Any, ...]:
    op, numbers = OPS[variant.op], [operand.value for operand in operands]
    value = xp.scalar(point_value(variant, xp, numbers))
    if op.choice is not None:
        is_left, (left, right) = op.choice.takes_left(*numbers), operands
        slopes = [xp.where(is_left, a, b) for a, b in zip(left.slopes, right.slopes, strict=True)]
    else:
        slopes = _chain(op, xp, value, operands, bits)
    jump = op.slope.jumps(xp, value, *numbers) & bits[MOVES] if op.slope.jumps else xp.no
    return (value, *slopes, _kink(op, xp, operands), jump)


def _chain(op: Op, xp: Any, value: Any, operands: list[Dual], bits: list[Any]) -> list[Any]:
    """The sums of the terms of both operands, as far as they are there."""
    numbers, zero = [operand.value for operand in operands], xp.scalar(0.0)
    found: list[Any] = [zero] * DIRECTIONS
    known: list[Any] = [None] * DIRECTIONS
    for side, (partial, operand) in enumerate(zip(op.slope.partials or (), operands, strict=True)):
        if partial == 0:
            continue
        factor = partial if isinstance(partial, int) else partial(xp, value, *numbers)
        for k, slope in enumerate(operand.slopes):
            term, there = slope if partial == 1 else factor * slope, bits[side * RIGHT_TERMS + k]
            before = known[k]
            total = term if before is None else xp.where(before, found[k] + term, term)
            found[k], known[k] = xp.where(there, total, found[k]), there
    return found


def _kink(op: Op, xp: Any, operands: list[Dual]) -> Any:
    """Where branches meet with different slopes, here or in an operand that the value is."""
    numbers, found = [operand.value for operand in operands], xp.no
    if op.slope.kinks is not None:
        left, right = [*(operand.slopes for operand in operands), [xp.scalar(0.0)] * DIRECTIONS][:2]

        def differ() -> tuple[Any]:
            same = [is_same(xp, a, b) for a, b in zip(left, right, strict=True)]
            return (~reduce(and_, same),)

        (found,) = xp.rarely(op.slope.kinks(*numbers), differ, (found,))
    for side, operand in enumerate(operands):
        taken = op.choice.taken[side](*numbers) if op.choice else None
        found = found | (operand.kink if taken is None else operand.kink & taken)
    return found


@dataclass(frozen=True)
class Function:
    """One device function: ``name`` of ``KINDS``."""

    name: str
    dtype: str
    tame: bool

    @property
    def kind(self) -> Kind:
        return KINDS[self.name]

    @property
    def symbol(self) -> str:
        manner = "tame" if self.tame else "careful"
        return f"intervalvm_{self.name}_{self.dtype}_{manner}"

    def compute(
        self, xp: Any, variant: Variant | None, parts: Sequence[Any], bits: Sequence[Any] = ()
    ) -> tuple[Any, ...]:
        """The results of a variant, of the parts of all operands, and of bits if it has some."""
        kind, size = self.kind, len(self.kind.operand)
        given = [OPERANDS[kind.operand](*parts[i : i + size]) for i in range(0, len(parts), size)]
        if variant is not None:
            given = given[: len(variant.kinds)]
        if kind.slack is not None:
            xp.slack = kind.slack
        return kind.compute(variant, xp, given, *([list(bits)] if kind.bits else []))


NUMBER, INTERVAL, DUAL = "n", "nnt", "n" + "n" * DIRECTIONS + "t"
"""What an operand is: a letter for each number and each truth."""
OPERANDS: dict[str, Callable[..., Any]] = {
    NUMBER: lambda number: number,
    INTERVAL: Interval,
    DUAL: lambda value, *rest: Dual(value, rest[:-1], rest[-1]),
}


@dataclass(frozen=True)
class Kind:
    """``compute(variant, namespace, operands)`` for ``variants``, or with ``bits``, truths, too.

    ``result`` counts the numbers and the truths of a result.
    """

    compute: Callable[..., tuple[Any, ...]]
    variants: list[Variant]
    operand: str
    count: int
    """The operands of a call."""
    result: tuple[int, int]
    bits: int = 0
    """How many bits a call has."""
    slack: float | None = None
    """That of the namespace, if not its own."""

    @property
    def is_of_boxes(self) -> bool:
        return self.operand == INTERVAL


KINDS = {
    "point": Kind(_point, list(VARIANTS), NUMBER, 3, (1, 0)),
    "bounds": Kind(_bounds, [v for v in VARIANTS if v.out != "t"], INTERVAL, 3, (2, 3)),
    "strict": Kind(_strict, GROUP_VARIANTS, INTERVAL, 3, (2, 3), slack=1.0),
    "literal": Kind(proven, [v for v in VARIANTS if v.op in LITERALS], INTERVAL, 3, (0, 2)),
    "constant": Kind(_constant, [], NUMBER, 1, (2, 1)),
    "dual": Kind(_dual, GROUP_VARIANTS, DUAL, 2, (1 + DIRECTIONS, 2), bits=MOVES + 1),
}
