"""Resolves the predicates of a tape: known truths, live nodes in order, and the clauses they need.

All functions are parts of passes (see ``passes``).
"""

from __future__ import annotations

from typing import Any

from intervalvm.compiler import nodes
from intervalvm.compiler.nodes import (
    ADD,
    FALSE,
    IS_DIFFERENCE,
    LENGTH,
    LESS,
    NODES,
    NUMBER,
    OR,
    SAME,
    TRUE,
)
from intervalvm.compiler.program import ARITIES
from intervalvm.ops import CODE

ALWAYS, NEVER = -1, -2
"""The values of known truths."""
VAR_X, VAR_Y = CODE["var-x"], CODE["var-y"]
TERMS, SPREAD_TERMS, VALUES = range(3)
"""What inputs are: x and y terms of one axis; the same, each spread to a value at once; x, y and z
values."""
(
    INPUTS_ARE,  # which of them
    ROOT,  # the node that stands for the root, or its truth
    LIVE,  # nodes that it depends on
    STATE_WORDS,
) = range(nodes.STATE_WORDS, nodes.STATE_WORDS + 4)  # fmt: skip
FIELDS = {
    "starts": "int32",  # by clause, and one more: where its nodes start in ``order``
    # nodes in the order of their clauses, so operands come first; after the pass live ones only
    "order": "int32",
    # by node: the node that stands for it, or its truth; whether the root depends on it
    "stands_for": "int32", "is_live": "uint8",
    # by clause: the axes that it depends on; whether it is needed
    "axes": "int32", "is_needed": "uint8",
    # by node, of a comparison of a sum of an x-term and a y-term these clauses, else ``NUMBER``
    "x_term": "int32", "y_term": "int32",
}  # fmt: skip


def resolve_nodes(w: Any) -> None:
    """Find what stands for nodes, and the live ones in order."""
    sort_by_clause(w)
    for k in range(w.state[NODES]):
        w.stands_for[w.order[k]] = stand_in(w, w.order[k])
    w.state[ROOT], w.state[LIVE] = w.stands_for[0], 0
    if w.state[ROOT] >= 0:
        find_live(w)


def sort_by_clause(w: Any) -> None:
    for i in range(w.state[LENGTH] + 1):
        w.starts[i] = 0
    for node in range(w.state[NODES]):
        w.starts[w.clause[node] + 1] += 1
    for i in range(w.state[LENGTH]):
        w.starts[i + 1] += w.starts[i]
    for node in range(w.state[NODES]):
        place = w.starts[w.clause[node]]
        w.starts[w.clause[node]] = place + 1
        w.order[place] = node


def stand_in(w: Any, node: int) -> int:
    """The node that stands for a node whose operands are resolved, or its truth."""
    kind = w.kind[node]
    if kind == LESS:
        return node
    if kind in (TRUE, FALSE):
        return ALWAYS if kind == TRUE else NEVER
    a = w.stands_for[w.first[node]]
    if kind == SAME:
        return a
    b = w.stands_for[w.second[node]]
    decides, neutral = (ALWAYS, NEVER) if kind == OR else (NEVER, ALWAYS)
    if a == decides or b == decides:
        return decides
    if a == neutral:
        return b
    return a if b == neutral or a == b else node


def find_live(w: Any) -> None:
    """Backwards from the root; then keep the live nodes in ``order``."""
    for node in range(w.state[NODES]):
        w.is_live[node] = 0
    w.is_live[w.state[ROOT]] = 1
    for k in range(w.state[NODES] - 1, -1, -1):
        node = w.order[k]
        if w.is_live[node] and w.kind[node] != LESS:
            w.is_live[w.stands_for[w.first[node]]] = 1
            w.is_live[w.stands_for[w.second[node]]] = 1
    live = 0
    for k in range(w.state[NODES]):
        if w.is_live[w.order[k]]:
            w.order[live] = w.order[k]
            live += 1
    w.state[LIVE] = live


def find_axes(w: Any) -> None:
    """For each clause 1 for x, 2 for y, their sum for both."""
    for i in range(w.state[LENGTH]):
        code = w.codes[i]
        axes = 0
        if w.state[INPUTS_ARE] != TERMS:
            axes = 0
        elif code == VAR_X:
            axes = 1
        elif code == VAR_Y:
            axes = 2
        elif ARITIES[code] == 1:
            axes = w.axes[w.left[i]]
        elif ARITIES[code] == 2:
            axes = w.axes[w.left[i]] | w.axes[w.right[i]]
        w.axes[i] = axes


def find_needed(w: Any) -> None:
    """The clauses that the comparisons of live nodes read, and those that these depend on."""
    for i in range(w.state[LENGTH]):
        w.is_needed[i] = 0
    for k in range(w.state[LIVE]):
        node = w.order[k]
        if w.kind[node] == LESS:
            find_terms(w, node)
            a, b = w.first[node], w.second[node]
            if w.x_term[node] != NUMBER:
                a, b = w.x_term[node], w.y_term[node]
            if a != NUMBER:
                w.is_needed[a] = 1
            if b != NUMBER:
                w.is_needed[b] = 1
    for i in range(w.state[LENGTH] - 1, -1, -1):
        arity = ARITIES[w.codes[i]]
        if w.is_needed[i] and arity > 0:
            w.is_needed[w.left[i]] = 1
            if arity > 1:
                w.is_needed[w.right[i]] = 1


def find_terms(w: Any, node: int) -> None:
    """The x-term and the y-term of a comparison of their sum or difference with a number."""
    w.x_term[node] = w.y_term[node] = NUMBER
    if w.first[node] == NUMBER or w.second[node] == NUMBER:
        value = w.second[node] if w.first[node] == NUMBER else w.first[node]
        code = w.codes[value]
        if code == ADD or w.traits[code] & IS_DIFFERENCE:
            left, right = w.left[value], w.right[value]
            if w.axes[left] == 1 and w.axes[right] == 2:
                w.x_term[node], w.y_term[node] = left, right
            elif w.axes[left] == 2 and w.axes[right] == 1:
                w.x_term[node], w.y_term[node] = right, left
