"""What passes over ``nodes`` read of operations: how demand is pushed down, and their traits."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler import nodes
from intervalvm.compiler.thresholds import is_searched
from intervalvm.ops import COMPARISONS, ROWS
from intervalvm.ops.row import Demand, Op, Values

PUSHDOWN: dict[Demand, int] = {
    Demand.VALUE: nodes.LITERAL,
    Demand.SAME: nodes.PUSH_SAME,
    Demand.NEGATIVE: nodes.NEGATIVE,
    **dict.fromkeys((Demand.LESSER, Demand.GREATER), nodes.CHOICE),
    **dict.fromkeys((Demand.BOTH, Demand.EITHER), nodes.JOINED),
    **dict.fromkeys((Demand.SUM, Demand.DIFFERENCE), nodes.SUM),
    **dict.fromkeys((Demand.PRODUCT, Demand.QUOTIENT), nodes.PRODUCT),
    **dict.fromkeys((Demand.GROWS, Demand.GROWS_FROM_ZERO, Demand.BY_SIZE), nodes.INCREASING),
    Demand.NOT: nodes.NOT,
    Demand.ORDER: nodes.ORDER,
}
"""What pushes a predicate down through an operation, by its demand."""
assert set(PUSHDOWN) == set(Demand)
EVERY, NOTHING = frozenset(Demand), frozenset[Demand]()
SIGNS = frozenset((Demand.SAME, Demand.NEGATIVE, Demand.LESSER, Demand.GREATER))
"""The demands that are pushed down without a threshold."""


@cache
def pushes(through: frozenset[Demand], system: int) -> NDArray[np.int64]:
    """What pushes a predicate down, by operation; only demands of ``through`` are pushed.

    Those that need a threshold are pushed where the number system has it.
    """

    def is_pushed(op: Op) -> bool:
        return op.demand in through and (not op.demand.is_monotone or is_searched(op, system))

    return _read_only([PUSHDOWN[op.demand if is_pushed(op) else Demand.VALUE] for op in ROWS])


@cache
def traits() -> NDArray[np.int64]:
    """The traits by operation."""
    return _read_only([_traits(op) for op in ROWS])


def _traits(op: Op) -> int:
    sign = COMPARISONS.get(op.name, "")
    is_so = {
        nodes.IS_TRUTH: op.is_truth,
        nodes.JOINS_TRUTHS: op.joins_truths,
        nodes.IS_LESSER: op.demand in (Demand.LESSER, Demand.BOTH),
        nodes.IS_DIFFERENCE: op.demand is Demand.DIFFERENCE,
        nodes.IS_QUOTIENT: op.demand is Demand.QUOTIENT,
        nodes.FROM_ZERO: op.demand.from_zero,
        nodes.NAN_BELOW_ZERO: op.demand is Demand.GROWS_FROM_ZERO,
        nodes.COMPARES: bool(sign),
        nodes.COMPARES_GREATER: ">" in sign,
        nodes.COMPARES_STRICTLY: bool(sign) and "=" not in sign,
        nodes.IS_NOT_NEGATIVE: op.values in (Values.NOT_NEGATIVE, Values.TRUTH),
    }
    return sum(bit for bit, holds in is_so.items() if holds)


def _read_only(numbers: list[int]) -> NDArray[np.int64]:
    found = np.array(numbers, np.int64)
    found.flags.writeable = False
    return found
