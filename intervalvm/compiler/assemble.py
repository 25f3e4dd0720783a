"""A folded tape, or the predicates of one, to a program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.predicates import LESS, OR, Node, Predicates
from intervalvm.compiler.program import FIRST_WORD, INPUTS, Assembler, Operand, Program
from intervalvm.compiler.resolve import ALWAYS, by_clause, reachable, resolve
from intervalvm.evaluate.evaluators import Evaluator
from intervalvm.ops import AXES, CODE, ROWS
from intervalvm.tape import Tape
from intervalvm.tape.liveness import ARITY, dependencies, needed

NAMES = [op.name for op in ROWS]
OPERANDS = ARITY.tolist()


def value_program(tape: Tape, evaluator: Evaluator, constants: Sequence[Any]) -> Program:
    """All clauses of a tape in x and y, in its order; the result is the value of the last.

    ``tape`` and ``constants`` are those of ``evaluator.constants``.
    """
    assembler = Assembler(evaluator.dtype, zero=evaluator.zero)
    values = _Values(tape, assembler, evaluator.operands(constants))
    for i in range(len(tape)):
        values.write(i)
    return assembler.program(assembler.full(values.place[-1]))


def plain_program(
    tape: Tape,
    dtype: np.dtype[Any],
    constants: NDArray[Any] | None = None,
    inputs: Sequence[str] | None = None,
) -> Program:
    """All clauses of a tape, every value of kind f; the result is that of the last.

    ``constants`` are those of a program, for each clause, instead of the tape's own. The clauses
    write their records in order, to the places of ``plain_places``. Where a clause has only
    constants as operands, a copy of the left one precedes its record; one is the result of a tape
    that is a constant.
    """
    is_const = tape.codes == CODE["const"]
    place, count = _places(tape, inputs)
    records = np.zeros((count, 4), np.uint32)
    arity = ARITY[tape.codes]
    writes = np.flatnonzero(arity > 0)
    at, codes = place[writes] - INPUTS, tape.codes[writes]
    kinds = []
    for side, operands in enumerate((tape.left, tape.right)):
        operand, there = operands[writes], arity[writes] > side
        records[at[there], side + 1] = place[operand[there]]
        kinds.append(np.where(there & is_const[operand], 1, 0))
    copies = _needs_copy(tape)[writes]
    records[at[copies] - 1, 0] = FIRST_WORD["copy", "k", "f"]
    records[at[copies] - 1, 1] = records[at[copies], 1]
    records[at[copies], 1] = at[copies] - 1 + INPUTS
    kinds[0][copies] = 0
    records[at, 0] = _PLAIN[codes, kinds[0], kinds[1]]
    constants = (tape.constants(dtype) if constants is None else constants)[is_const]
    pool = constants if len(constants) else np.zeros((1, *constants.shape[1:]), dtype)
    result = int(place[-1])
    if is_const[-1]:
        records[-1] = FIRST_WORD["copy", "k", "f"], result, 0, 0
        result = count - 1 + INPUTS
    return Program(records, pool, result)


def plain_places(tape: Tape, inputs: Sequence[str] | None = None) -> NDArray[np.int64]:
    """The place of each clause in ``plain_program``; of a constant that in the pool.

    x and y are at places 0 and 1, unless ``inputs`` names what the tape may read: coordinates and
    free variables, in the order of their places, which then follow those of the records.
    """
    return _places(tape, inputs)[0]


def _places(tape: Tape, inputs: Sequence[str] | None) -> tuple[NDArray[np.int64], int]:
    """The places, and the number of records."""
    is_const = tape.codes == CODE["const"]
    written = (ARITY[tape.codes] > 0) + _needs_copy(tape).astype(np.int64)
    place = np.cumsum(written) + INPUTS - 1
    count = int(place[-1]) + 1 - INPUTS + int(is_const[-1])
    place[is_const] = np.arange(np.count_nonzero(is_const))
    first, names = (0, ("x", "y")) if inputs is None else (count + INPUTS, inputs)
    at = {name: first + k for k, name in enumerate(names)}
    for name, op in AXES.items():
        reads = tape.codes == CODE[op]
        if reads.any():
            place[reads] = at[name]
    if tape.variables:
        is_free = tape.codes == CODE["var"]
        free = np.array([at.get(name, -1) for name in tape.variables])
        place[is_free] = free[tape.left[is_free]]
    return place, count


def _needs_copy(tape: Tape) -> NDArray[np.bool_]:
    """The mask of the clauses whose operands are all constants, which no record can read."""
    is_const = np.append(tape.codes == CODE["const"], True)  # at -1: no operand
    arity = ARITY[tape.codes]
    left, right = (np.where(arity > k, side, -1) for k, side in enumerate((tape.left, tape.right)))
    found: NDArray[np.bool_] = (arity > 0) & is_const[left] & is_const[right]
    found &= tape.codes != CODE["copy"]
    return found


def _plain_table() -> NDArray[np.uint32]:
    """The first word of a record by operation, and by whether each operand is a constant."""
    table = np.zeros((len(ROWS), 2, 2), np.uint32)
    for code, op in enumerate(ROWS):
        for left, right in ((0, 0), (0, 1), (1, 0)):
            kinds = ("fk"[left] + "fk"[right])[: op.arity]
            if op.arity and (op.name, kinds, "f") in FIRST_WORD:
                table[code, left, right] = FIRST_WORD[op.name, kinds, "f"]
    return table


_PLAIN = _plain_table()


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
        return (self.left[i], self.right[i])[: OPERANDS[self.codes[i]]]

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
