"""Demand pushed down a tape: from ``v < 0`` of the root to comparisons near x and y.

A bitmap only demands ``v < 0`` of the root. This predicate is pushed down to operands:
``min(a, b) < t`` is ``a < t or b < t``, ``-a < t`` is ``a > -t``, ``a - b < 0`` is ``a < b``, and
``f(a) < t`` is ``a < t'`` for a nondecreasing f, where the threshold t' is the least float with
``f(t') >= t``, found by bisection on the floats. Every push is exact for every float. Comparisons
with NaN are false, but ``min`` propagates a NaN where ``or`` does not; so a clause that may be NaN
keeps its value.

Truths prune better than numbers: a true operand decides an ``or``, whatever the range of the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from intervalvm.compiler.truths import truths
from intervalvm.evaluate.evaluators import ClauseBounds, Evaluator
from intervalvm.ops import CODE, COMPARISONS, OPS, ROWS
from intervalvm.ops.row import Demand
from intervalvm.tape import Tape

LESS, OR, AND, SAME, TRUE, FALSE = range(6)
LESSER, DIFFERENCES = (
    {code for code, op in enumerate(ROWS) if op.demand in demands}
    for demands in ((Demand.LESSER, Demand.BOTH), (Demand.DIFFERENCE,))
)
MOST_DEMANDS = 4
"""Pushdown limit, in nodes per clause: a clause with many thresholds is written once for each."""


@dataclass(slots=True)
class Node:
    """A truth: ``LESS`` of two values, ``OR``/``AND`` of two nodes, ``SAME`` as another, or known.

    A value is the index of a clause (int), or a constant (float, or a pair of them).
    ``clause`` is that of the predicate.
    """

    kind: int
    clause: int
    left: Any = None
    right: Any = None


@dataclass
class _Search:
    """Thresholds to be searched together."""

    nodes: list[int] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)
    targets: list[Any] = field(default_factory=list)
    greater: list[bool] = field(default_factory=list)
    operands: list[int] = field(default_factory=list)
    flips: list[bool] = field(default_factory=list)


class Predicates:
    """The truth of ``v < 0`` for the last clause of ``tape``, as nodes.

    ``tape`` is folded for ``evaluator``; ``bounds`` has its bounds of the clauses in the box.
    ``through`` are the demands that are pushed down, by default all.
    """

    def __init__(
        self,
        tape: Tape,
        bounds: ClauseBounds,
        evaluator: Evaluator,
        through: Container[Demand] = tuple(Demand),
    ) -> None:
        self.evaluator = evaluator
        # by operation: a table of demands would be hashed for every node
        demands = (op.demand if op.demand in through else Demand.VALUE for op in ROWS)
        self._pushdown = [PUSHDOWN[demand] for demand in demands]
        self.codes, self.nan = tape.codes.tolist(), bounds.maybe_nan.tolist()
        self.is_truth = truths(tape)
        self.not_negative = (bounds.lower >= 0).tolist()
        self.left, self.right = tape.left.tolist(), tape.right.tolist()
        self.values = bounds.constants
        self.is_const = (tape.codes == CODE["const"]).tolist()
        self.nodes: list[Node] = []
        self._asked: dict[tuple[int, bool, Any], int] = {}
        self._todo: list[int] = []
        self._demand: list[tuple[int, bool, Any]] = []
        self._searches: dict[str, _Search] = defaultdict(_Search)
        self._most = MOST_DEMANDS * len(tape) + 64
        self.root = self.ask(len(tape) - 1, False, evaluator.zero)
        with np.errstate(all="ignore"):
            while self._todo:
                while self._todo:
                    self._push(self._todo.pop())
                self._find_thresholds()

    def ask(self, clause: int, greater: bool, t: Any) -> int:
        """The node of ``v < t`` (``v > t`` if ``greater``) for the value of a clause."""
        key = (clause, greater, t)
        node = self._asked.get(key)
        if node is None:
            node = self._asked[key] = len(self.nodes)
            self.nodes.append(Node(SAME, clause))
            self._demand.append((clause, greater, t))
            self._todo.append(node)
        return node

    def _become(self, node: int, kind: int, left: Any = None, right: Any = None) -> None:
        found = self.nodes[node]
        found.kind, found.left, found.right = kind, left, right

    def _literal(self, node: int, _clause: int = -1) -> None:
        """Keep the predicate as a comparison of the clause's value."""
        clause, greater, t = self._demand[node]
        t = self.evaluator.literal(t, greater)
        self._become(node, LESS, *((t, clause) if greater else (clause, t)))

    def _push(self, node: int) -> None:
        """Push a predicate of a clause down to its operands, if that is exact."""
        clause, greater, t = self._demand[node]
        answer = None
        if self.is_const[clause]:
            answer = self.evaluator.answer(self.values[clause], greater, t)
        if answer is not None:
            self._become(node, TRUE if answer else FALSE)
        elif len(self.nodes) > self._most:
            self._literal(node)
        else:
            self._pushdown[self.codes[clause]](self, node, clause)

    # --- how a predicate is pushed through each operation ---------------------------------------

    def _joined(self, node: int, clause: int) -> None:
        """Of truths ``and`` is ``min``, and ``or`` is ``max``."""
        if self.is_truth[clause]:
            self._choice(node, clause)
        else:
            self._literal(node)

    def _choice(self, node: int, clause: int) -> None:
        _, greater, t = self._demand[node]
        left, right = self.left[clause], self.right[clause]
        either = (self.codes[clause] in LESSER) != greater
        if either and (self.nan[left] or self.nan[right]):
            self._literal(node)
            return
        a, b = self.ask(left, greater, t), self.ask(right, greater, t)
        self._become(node, OR if either else AND, a, b)

    def _same(self, node: int, clause: int) -> None:
        _, greater, t = self._demand[node]
        self._become(node, SAME, self.ask(self.left[clause], greater, t))

    def _negative(self, node: int, clause: int) -> None:
        _, greater, t = self._demand[node]
        t = self.evaluator.negative(t)
        self._become(node, SAME, self.ask(self.left[clause], not greater, t))

    def _sum(self, node: int, clause: int) -> None:
        """a + b or a - b with a constant; ``a - b < 0`` is ``a < b``."""
        _, greater, t = self._demand[node]
        left, right = self.left[clause], self.right[clause]
        is_sub = self.codes[clause] in DIFFERENCES
        if self.is_const[left] or self.is_const[right]:
            k, other = (left, right) if self.is_const[left] else (right, left)
            number = self.values[k]
            if not self.evaluator.is_finite(number):
                self._literal(node)
            elif is_sub and other == right:  # k - b is k + -b
                self._seek("add", node, other, number, flip=True)
            else:
                k = self.evaluator.negative(number) if is_sub else number
                self._seek("add", node, other, k)
        elif is_sub and t == self.evaluator.zero:
            self._become(node, LESS, *((right, left) if greater else (left, right)))
        else:
            self._literal(node)

    def _product(self, node: int, clause: int) -> None:
        left, right = self.left[clause], self.right[clause]
        op = ROWS[self.codes[clause]]
        k, other = (left, right) if self.is_const[left] else (right, left)
        sign = self.evaluator.sign(self.values[k]) if self.is_const[k] else 0
        if not sign or (op.demand is Demand.QUOTIENT and k == left):
            self._literal(node)
        else:  # a * -k is -a * k
            size = self.values[k] if sign > 0 else self.evaluator.negative(self.values[k])
            self._seek(op.name, node, other, size, flip=sign < 0)

    def _increasing(self, node: int, clause: int) -> None:
        name = ROWS[self.codes[clause]].name
        self._seek(name, node, self.left[clause], self.evaluator.zero)

    def _not(self, node: int, clause: int) -> None:
        """1 or 0: whether the operand is 0, unless both compare alike."""
        _, greater, t = self._demand[node]
        one, zero = (
            self.evaluator.answer(v, greater, t) for v in (self.evaluator.one, self.evaluator.zero)
        )
        if one is None or zero is None:
            self._literal(node)
        elif one == zero:
            self._decided(node, truth=one)
        else:
            self._is_zero(node, self.left[clause], wanted=one)

    def _is_zero(self, node: int, clause: int, *, wanted: bool) -> None:
        """Whether a clause is 0; if not ``wanted``, whether it is not 0, NaN included."""
        while ROWS[self.codes[clause]].is_truth:  # not(b) is 0 where b is anything else
            clause, wanted = self.left[clause], not wanted
        name, left, right = ROWS[self.codes[clause]].name, self.left[clause], self.right[clause]
        zero, one = self.evaluator.zero, self.evaluator.one
        if self.is_truth[clause]:
            asked = self.ask(clause, not wanted, one if wanted else zero)
            self._become(node, SAME, asked)
            return
        sign = COMPARISONS.get(name, "")
        is_strict = "=" not in sign
        is_comparison = (
            sign
            and self.codes[left] == CODE["compare"]
            and self.is_const[right]
            and self.values[right] == (one if is_strict else zero)
        )
        if not is_comparison or (not wanted and self.nan[left]):
            self._literal(node)
            return
        # compare is -1, 0 or 1: the sum with 1 is 0 where it is below 0, and so on
        greater = (">" in sign) == wanted
        side = self.evaluator.negative(one) if greater else one
        asked = self.ask(left, greater, zero if is_strict == wanted else side)
        self._become(node, SAME, asked)

    def _compared(self, node: int, clause: int) -> None:
        """-1, 0 or 1, so a comparison of the operands."""
        _, greater, t = self._demand[node]
        left, right = self.left[clause], self.right[clause]
        zero, one = self.evaluator.zero, self.evaluator.one
        signs = self.evaluator.negative(one), zero, one
        below, equal, above = (self.evaluator.answer(sign, greater, t) for sign in signs)
        if None in (below, equal, above):
            self._literal(node)
        elif below == equal == above:
            self._decided(node, truth=bool(equal))
        elif self.is_const[left] or self.is_const[right]:
            # k below v is v above k
            number, other = (left, right) if self.is_const[left] else (right, left)
            greater, t = greater != (other == right), self.values[number]
            if equal and self.evaluator.is_finite(t):
                t = self.evaluator.beyond(t, greater)
            if t is None or not self.evaluator.is_finite(t):
                self._literal(node)
            else:
                self._become(node, SAME, self.ask(other, greater, t))
        elif equal:
            self._literal(node)
        else:
            self._become(node, LESS, *((right, left) if greater else (left, right)))

    def _seek(self, name: str, node: int, operand: int, k: Any, *, flip: bool = False) -> None:
        """Queue a search for the threshold of ``operand``, or of its negative if ``flip``."""
        _, greater, t = self._demand[node]
        search = self._searches[name]
        search.nodes.append(node)
        search.constants.append(k)
        search.targets.append(t)
        search.greater.append(greater)
        search.operands.append(operand)
        search.flips.append(flip)

    def _find_thresholds(self) -> None:
        """Bisect all queued searches together, and push the predicates down."""
        searches, self._searches = self._searches, defaultdict(_Search)
        for name, search in searches.items():
            limits, reach = self.evaluator.limits(
                name, search.constants, search.targets, np.array(search.greater)
            )
            for i, node in enumerate(search.nodes):
                self._answer(name, node, search, i, limits[i], reach[i])

    def _answer(
        self, name: str, node: int, search: _Search, i: int, limit: Any, reach: int
    ) -> None:
        """Push a predicate down to the operand, with its threshold."""
        greater, operand, flip = search.greater[i], search.operands[i], search.flips[i]
        opposite = self.evaluator.negative(limit)
        demand = OPS[name].demand
        if demand is Demand.GROWS_FROM_ZERO and not self.not_negative[operand]:
            # the value of a negative number is NaN, which compares false
            above = self.ask(operand, True, self.evaluator.before_zero)
            if reach < 0:
                self._become(node, FALSE) if greater else self._become(node, SAME, above)
            elif greater:
                self._become(node, SAME, above if reach else self.ask(operand, True, limit))
            else:
                self._become(node, AND, self.ask(operand, False, limit), above)
        elif reach:
            self._decided(node, truth=greater == (reach > 0))
        elif demand is Demand.BY_SIZE:
            # by size: inside when |v| < t', outside when |v| > the one before
            outer, inner = (greater, limit), (not greater, opposite)
            a, b = self.ask(operand, *outer), self.ask(operand, *inner)
            self._become(node, OR if greater else AND, a, b)
        elif flip:
            self._become(node, SAME, self.ask(operand, not greater, opposite))
        else:
            self._become(node, SAME, self.ask(operand, greater, limit))

    def _decided(self, node: int, *, truth: bool) -> None:
        """A predicate that does not depend on the operand, except for NaN, which is false."""
        if truth and self.nan[self._demand[node][0]]:
            self._literal(node)
        else:
            self._become(node, TRUE if truth else FALSE)


Push = Callable[[Predicates, int, int], None]
PUSHDOWN: dict[Demand, Push] = {
    Demand.VALUE: Predicates._literal,
    Demand.SAME: Predicates._same,
    Demand.NEGATIVE: Predicates._negative,
    **dict.fromkeys((Demand.LESSER, Demand.GREATER), Predicates._choice),
    **dict.fromkeys((Demand.BOTH, Demand.EITHER), Predicates._joined),
    **dict.fromkeys((Demand.SUM, Demand.DIFFERENCE), Predicates._sum),
    **dict.fromkeys((Demand.PRODUCT, Demand.QUOTIENT), Predicates._product),
    **dict.fromkeys((Demand.GROWS, Demand.GROWS_FROM_ZERO, Demand.BY_SIZE), Predicates._increasing),
    Demand.NOT: Predicates._not,
    Demand.ORDER: Predicates._compared,
}
"""What pushes a predicate down through an operation, by its demand."""
assert set(PUSHDOWN) == set(Demand)
SIGNS = (Demand.SAME, Demand.NEGATIVE, Demand.LESSER, Demand.GREATER)
"""The demands that are pushed down without a threshold."""
