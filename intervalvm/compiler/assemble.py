"""A folded tape, or the predicates of one, to a program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from intervalvm.compiler.predicates import LESS, OR, Node, Predicates
from intervalvm.compiler.program import Assembler, Operand, Program
from intervalvm.compiler.resolve import ALWAYS, by_clause, reachable, resolve
from intervalvm.evaluate.evaluators import Evaluator
from intervalvm.ops import ROWS
from intervalvm.tape import Tape
from intervalvm.tape.liveness import dependencies, needed

NAMES = [op.name for op in ROWS]
ARITY = [op.arity for op in ROWS]


def value_program(tape: Tape, evaluator: Evaluator, constants: Sequence[Any]) -> Program:
    """All clauses of a tape in x and y, in its order; the result is the value of the last.

    ``tape`` and ``constants`` are those of ``evaluator.constants``.
    """
    assembler = Assembler(evaluator.dtype, zero=evaluator.zero)
    values = _Values(tape, assembler, evaluator.operands(constants))
    for i in range(len(tape)):
        values.write(i)
    return assembler.program(assembler.full(values.place[-1]))


def bitmap_program(tape: Tape, predicates: Predicates, *, axes: bool = True) -> Program:
    """What the predicates need of a tape; the result is the truth of ``v < 0``.

    Without ``axes`` terms of one axis are like any other.
    """
    nodes, evaluator = predicates.nodes, predicates.evaluator
    assembler = Assembler(evaluator.dtype, axes=axes, zero=evaluator.zero)
    order = by_clause(nodes)
    stands_for = resolve(nodes, order)
    root = stands_for[predicates.root]
    if root < 0:  # x is finite, so it is always between the infinities
        limit = evaluator.infinity if root == ALWAYS else evaluator.negative(evaluator.infinity)
        return assembler.program(assembler.less(assembler.x, assembler.number(limit)))
    values = _Values(tape, assembler, evaluator.operands(predicates.values), axes=axes)
    live = reachable(nodes, order, stands_for, root)
    sums = {i: values.sum_of_axes(node) for i in live if (node := nodes[i]).kind == LESS}
    read = (
        value
        for i, terms in sums.items()
        for value in terms or (nodes[i].left, nodes[i].right)
        if isinstance(value, int)
    )
    is_needed = needed(tape, read).tolist()
    truth: dict[int, Operand] = {}
    written = 0
    for i in live:
        node = nodes[i]
        # a predicate reads its own clause and earlier ones
        for clause in range(written, node.clause + 1):
            if is_needed[clause]:
                values.write(clause)
        written = max(written, node.clause + 1)
        if node.kind == LESS:
            truth[i] = values.literal(node, sums[i])
        else:
            op = "or" if node.kind == OR else "and"
            a, b = (truth[stands_for[side]] for side in (node.left, node.right))
            truth[i] = assembler.combine(op, a, b)
    return assembler.program(truth[root])


class _Values:
    """The places of a tape's values, once written."""

    def __init__(
        self, tape: Tape, assembler: Assembler, constants: Sequence[Any], *, axes: bool = True
    ) -> None:
        self.assembler, self.constants = assembler, constants
        self.codes, self.left, self.right = (
            array.tolist() for array in (tape.codes, tape.left, tape.right)
        )
        self.place: list[Operand] = [("", -1)] * len(tape)
        self.axes = dependencies(tape, (1, 2, 0) if axes else (0, 0, 0))

    def operands(self, i: int) -> tuple[int, ...]:
        return (self.left[i], self.right[i])[: ARITY[self.codes[i]]]

    def write(self, i: int) -> None:
        """Write the record of clause ``i``; its operands are written."""
        name = NAMES[self.codes[i]]
        if name == "const":
            self.place[i] = self.assembler.number(self.constants[i])
        elif name in ("var-x", "var-y"):
            self.place[i] = self.assembler.x if name == "var-x" else self.assembler.y
        else:
            operands = (self.place[operand] for operand in self.operands(i))
            self.place[i] = self.assembler.value(name, *operands)

    def sum_of_axes(self, node: Node) -> tuple[int, int] | None:
        """(x-term, y-term) of a comparison of their sum or difference with a number."""
        value = node.left if isinstance(node.left, int) else node.right
        if isinstance(node.left, int) and isinstance(node.right, int):
            return None
        name, operands = NAMES[self.codes[value]], self.operands(value)
        axes = [self.axes[operand] for operand in operands]
        if name not in ("add", "sub") or sorted(axes) != [1, 2]:
            return None
        return (operands[0], operands[1]) if axes == [1, 2] else (operands[1], operands[0])

    def literal(self, node: Node, terms: tuple[int, int] | None) -> Operand:
        """Write the record of a comparison."""
        if terms is None:
            return self.assembler.less(self.operand(node.left), self.operand(node.right))
        greater = isinstance(node.right, int)
        value = node.right if greater else node.left
        x, y = (self.place[term] for term in terms)
        if NAMES[self.codes[value]] == "sub":  # x - y is x + -y and y - x is -x + y, bit for bit
            is_from_x = self.left[value] == terms[0]
            x, y = (x, self.assembler.negative(y)) if is_from_x else (self.assembler.negative(x), y)
        t = self.operand(node.left if greater else node.right)
        return self.assembler.sum_less(x, y, t, greater=greater)

    def operand(self, value: Any) -> Operand:
        return self.place[value] if isinstance(value, int) else self.assembler.number(value)
