"""Chains of ``min`` or ``max`` to balanced trees of the same operands, bit for bit.

``min`` is associative: it returns the last of the least operands, or NaN if there is one; so is
``max``. A region with one live operand has n decided choices in a chain of n, and log n in a tree.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from intervalvm.compiler.passes import IN_PYTHON, Pass, Runner, Scratch, Table
from intervalvm.ops import CODE, ROWS
from intervalvm.tape.liveness import ARITY

CONST = CODE["const"]
ASSOCIATES = np.array([op.associates for op in ROWS], np.uint8)
MOST_IN_A_TREE = 3
"""A shorter chain is a balanced tree."""
PLAIN, INNER, DISSOLVED, HEAD = range(4)
"""The role of a clause: one of its operation alone reads it; so, and in a chain; ends a chain."""


def balance(table: Table, *, runner: Runner = IN_PYTHON, scratch: Scratch | None = None) -> Table:
    """The tape with balanced chains of ``min`` or ``max``, their operands in order.

    A partial result with another user ends a chain. The arrays are scratch memory, or the table's.
    """
    scratch, n = scratch or Scratch(), len(table)
    own = {name: getattr(table, name) for name in ("codes", "left", "right", "low", "high")}
    work = scratch.take_all(PASS, dict.fromkeys(WORK, n) | {"stack": n + 1})
    fixed = {"arity": ARITY, "associates": ASSOCIATES, "length": np.array([n])}
    if not runner.run(PASS, {**own, **fixed, **work}, scratch):
        return table
    codes, left, right, low, high = (work[f"new_{name}"] for name in own)
    return Table(codes, left, right, low, high, table.variables)


# --- the pass -------------------------------------------------------------------------------------


def balance_chains(w: Any) -> int:
    """Write the balanced tape; returns the number of chains, or 0 where nothing is written."""
    n, chains = w.length[0], 0
    find_inner(w, n)
    for i in range(n):
        if ends_chain(w, i):
            count = operands_of(w, i)
            # two constants would make a clause that is not folded
            if count > MOST_IN_A_TREE and not constants_meet(w, count):
                dissolve(w, i)
                chains += 1
    if chains > 0:
        write_balanced(w, n)
    return chains


def find_inner(w: Any, n: int) -> None:
    """The role of a ``min`` or ``max`` with a single user, of the same operation."""
    for i in range(n):
        w.reads[i] = 0
    for i in range(n):
        if w.arity[w.codes[i]] > 0:
            w.reads[w.left[i]] += 1
            w.reader[w.left[i]] = i
        if w.arity[w.codes[i]] > 1:
            w.reads[w.right[i]] += 1
            w.reader[w.right[i]] = i
    for i in range(n):
        w.role[i] = PLAIN
        if w.reads[i] == 1 and w.associates[w.codes[i]] != 0:
            w.role[i] = INNER if w.codes[w.reader[i]] == w.codes[i] else PLAIN


def ends_chain(w: Any, i: int) -> bool:
    if w.role[i] != PLAIN or w.associates[w.codes[i]] == 0:
        return False
    return bool(w.role[w.left[i]] == INNER or w.role[w.right[i]] == INNER)


def operands_of(w: Any, head: int) -> int:
    """The operands of the chain that ends in ``head``, in order, into ``row``; their number."""
    count, depth = 0, 2
    w.stack[0], w.stack[1] = w.right[head], w.left[head]
    while depth > 0:
        depth -= 1
        i = w.stack[depth]
        if w.role[i] in (INNER, DISSOLVED):
            w.stack[depth], w.stack[depth + 1] = w.right[i], w.left[i]
            depth += 2
        else:
            w.row[count] = i
            count += 1
    return count


def constants_meet(w: Any, count: int) -> bool:
    for k in range(count - 1):
        if w.codes[w.row[k]] == CONST and w.codes[w.row[k + 1]] == CONST:
            return True
    return False


def dissolve(w: Any, head: int) -> None:
    """Mark a chain's clauses, which move to its last one."""
    w.role[head] = HEAD
    depth = 2
    w.stack[0], w.stack[1] = w.right[head], w.left[head]
    while depth > 0:
        depth -= 1
        i = w.stack[depth]
        if w.role[i] == INNER:
            w.role[i] = DISSOLVED
            w.stack[depth], w.stack[depth + 1] = w.right[i], w.left[i]
            depth += 2


def write_balanced(w: Any, n: int) -> None:
    at = 0
    for i in range(n):
        code, a, b = w.codes[i], w.left[i], w.right[i]
        if w.role[i] == HEAD:
            count = operands_of(w, i)
            for k in range(count):
                w.row[k] = w.place[w.row[k]]
            while count > 1:
                half = count // 2
                for k in range(half):
                    write(w, at, code, w.row[2 * k], w.row[2 * k + 1], 0.0, 0.0)
                    w.row[k] = at
                    at += 1
                if count > 2 * half:
                    w.row[half] = w.row[count - 1]
                count -= half
            w.place[i] = at - 1
        elif w.role[i] != DISSOLVED:
            a = w.place[a] if w.arity[code] > 0 else a
            b = w.place[b] if w.arity[code] > 1 else b
            write(w, at, code, a, b, w.low[i], w.high[i])
            w.place[i] = at
            at += 1


def write(w: Any, at: int, code: int, a: int, b: int, low: float, high: float) -> None:
    w.new_codes[at], w.new_left[at], w.new_right[at] = code, a, b
    w.new_low[at], w.new_high[at] = low, high


FIELDS = {
    "codes": "uint8", "left": "int32", "right": "int32", "low": "float64", "high": "float64",
    "new_codes": "uint8", "new_left": "int32", "new_right": "int32",
    "new_low": "float64", "new_high": "float64",
    "arity": "uint8", "associates": "uint8", "length": "int64",
    # by clause: how many read it, the last that does, its role, and its place in the new tape
    "reads": "int32", "reader": "int32", "role": "uint8", "place": "int32",
    # of one chain
    "stack": "int32", "row": "int32",
}  # fmt: skip
WORK = list(FIELDS)[list(FIELDS).index("reads") :] + [name for name in FIELDS if "new" in name]
"""The arrays that the pass writes to, by clause."""
PASS = Pass("balance", balance_chains, FIELDS)
