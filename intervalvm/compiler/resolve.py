"""Resolves the predicates of a tape: known truths, and the rest as a tape."""

from __future__ import annotations

import math

from intervalvm.compiler.predicates import AND, LESS, OR, SAME, TRUE, Node, Predicates
from intervalvm.ops import CODE, ROWS
from intervalvm.tape import Tape, TapeBuilder

ALWAYS, NEVER = -1, -2
"""The values of known truths."""


def by_clause(nodes: list[Node]) -> list[int]:
    """The nodes in the order of their clauses: operands come first."""
    return sorted(range(len(nodes)), key=[node.clause for node in nodes].__getitem__)


def resolve(nodes: list[Node], order: list[int]) -> list[int]:
    """For each node, the node that stands for it, or ALWAYS or NEVER."""
    found = list(range(len(nodes)))  # right for comparisons
    for i in order:
        node = nodes[i]
        kind = node.kind
        if kind == SAME:
            found[i] = found[node.left]
        elif kind in (OR, AND):
            a, b = found[node.left], found[node.right]
            decides, neutral = (ALWAYS, NEVER) if kind == OR else (NEVER, ALWAYS)
            if decides in (a, b):
                found[i] = decides
            elif neutral in (a, b) or a == b:
                found[i] = b if a == neutral else a
        elif kind != LESS:
            found[i] = ALWAYS if kind == TRUE else NEVER
    return found


def reachable(nodes: list[Node], order: list[int], stands_for: list[int], root: int) -> list[int]:
    """The nodes that ``root`` depends on, in the given order."""
    needed = [False] * len(nodes)
    needed[root] = True
    found = []
    for i in reversed(order):
        if needed[i]:
            found.append(i)
            node = nodes[i]
            if node.kind != LESS:
                needed[stands_for[node.left]] = needed[stands_for[node.right]] = True
    found.reverse()
    return found


def sign_tape(tape: Tape, predicates: Predicates) -> Tape:
    """A tape that is below 0 where ``tape`` is, in the dtype and the region of the predicates.

    ``a < b`` is ``a - b < 0``, which is 0 for equal floats only, and NaN if either is; for
    infinities, and predicates of ``compare``, it is ``compare(a, b) < 0``. ``or`` is ``min`` and
    ``and`` is ``max``.
    """
    nodes, builder = predicates.nodes, TapeBuilder(tape.variables)
    order = by_clause(nodes)
    stands_for = resolve(nodes, order)
    root = stands_for[predicates.root]
    if root < 0:
        builder.const(-1.0 if root == ALWAYS else 0.0)
        return builder.build()
    copied: dict[int, int] = {}
    numbers: dict[str, int] = {}

    def copy(clause: int) -> int:
        """The clause of the new tape that has the value of ``clause``."""
        stack = [clause]
        while stack:
            i = stack[-1]
            waiting = [operand for operand in tape.operands(i) if operand not in copied]
            stack += waiting
            if not waiting:
                stack.pop()
                if i not in copied:
                    copied[i] = _copy(builder, tape, i, [copied[o] for o in tape.operands(i)])
        return copied[clause]

    def value(of: int | float) -> int:
        if isinstance(of, int):
            return copy(of)
        key = repr(of)
        if key not in numbers:
            numbers[key] = builder.const(of)
        return numbers[key]

    truth: dict[int, int] = {}
    for i in reachable(nodes, order, stands_for, root):
        node = nodes[i]
        if node.kind != LESS:
            a, b = truth[stands_for[node.left]], truth[stands_for[node.right]]
            truth[i] = builder.clause("min" if node.kind == OR else "max", a, b)
        elif node.right == 0.0 and not isinstance(node.right, int):
            truth[i] = value(node.left)
        elif node.left == 0.0 and not isinstance(node.left, int):
            truth[i] = builder.clause("neg", value(node.right))
        else:
            # inf - inf is NaN, where they compare equal
            is_finite = not {math.inf, -math.inf} & {node.left, node.right}
            is_difference = is_finite and tape.codes[node.clause] != CODE["compare"]
            op = "sub" if is_difference else "compare"
            truth[i] = builder.clause(op, value(node.left), value(node.right))
    return _ending_in(builder, truth[root])


def _copy(builder: TapeBuilder, tape: Tape, i: int, operands: list[int]) -> int:
    op = ROWS[tape.codes[i]].name
    if op == "const":
        return builder.const(float(tape.wide[i]), tape.single[i])
    if op == "var":
        return builder.variable(tape.variables[tape.left[i]])
    return builder.clause(op, *operands)


def _ending_in(builder: TapeBuilder, root: int) -> Tape:
    """The tape so far; its value is that of ``root``, which need not be the last clause."""
    if root != len(builder) - 1:
        builder.clause("copy", root)
    return builder.build()
