"""Fold constants, share common subexpressions, drop what nobody reads. No bit changes.

Constants are computed by the dense evaluator's own rules in the dtype of the evaluation, so the
result of this pass holds for that dtype alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from intervalvm.compiler.slots import ARITY
from intervalvm.ops import AXES, CODE, ROWS
from intervalvm.tape import Tape, TapeBuilder, select

MUL, SQUARE = CODE["mul"], CODE["square"]


def fold(tape: Tape, xp: Any, settings: dict[str, Any] | None = None) -> Tape:
    """The shortest tape of the same bits that these rules find, in the dtype of ``xp``.

    ``xp`` is the namespace to compute constants with. ``settings`` maps inputs ("var-z", or the
    name of a free variable) to numbers, which then count as constants.
    """
    dtype = np.dtype(xp.dtype)
    given = settings or {}
    # all that stay free stay declared, in their order
    builder = TapeBuilder(tuple(name for name in tape.variables if name not in given))
    clauses: dict[tuple[Any, ...], int] = {}  # by operation and operands, or by name
    numbers: dict[bytes, int] = {}
    constant: dict[int, Any] = {}
    place: list[int] = []
    constants = tape.constants(dtype)

    def const(value: Any) -> int:
        value = dtype.type(np.nan if np.isnan(value) else value)  # any NaN is as good as another
        key = value.tobytes()
        found = numbers.get(key)
        if found is None:
            found = numbers[key] = builder.const(float(value), np.float32(value))
            constant[found] = value
        return found

    def fresh(code: int, operands: tuple[int, ...]) -> int:
        """A clause on operands for which there is none yet, or what it comes to."""
        op = ROWS[code]
        if op.name == "copy" or (op.has_choice and operands[0] == operands[-1]):
            return operands[0]
        if all(operand in constant for operand in operands):
            assert op.point is not None
            return const(op.point(xp, *(constant[operand] for operand in operands)))
        return builder.clause(op.name, *operands)

    def read(code: int, i: int) -> int:
        """A constant, or an input, which is a constant if it is set."""
        name = ROWS[code].name
        if name == "const":
            return const(constants[i])
        variable = tape.variables[tape.left[i]] if name == "var" else name
        if variable in given:
            return const(given[variable])
        key = (code, variable)
        if key not in clauses:
            is_axis = name in AXES.values()
            clauses[key] = builder.clause(name) if is_axis else builder.variable(variable)
        return clauses[key]

    arity = [op.arity for op in ROWS]
    with np.errstate(all="ignore"):
        rows = zip(tape.codes.tolist(), tape.left.tolist(), tape.right.tolist(), strict=True)
        for i, (code, left, right) in enumerate(rows):
            n = arity[code]
            if n == 0:
                place.append(read(code, i))
                continue
            operands = (place[left],) if n == 1 else (place[left], place[right])
            if code == MUL and place[left] == place[right]:
                # the same product, but its bounds and its thresholds are those of one operand
                code, operands = SQUARE, (place[left],)
            key = (code, operands)
            found = clauses.get(key)
            if found is None:
                found = clauses[key] = fresh(code, operands)
            place.append(found)
    return _reachable(builder, place[-1], tape.variables)


def _reachable(builder: TapeBuilder, root: int, variables: tuple[str, ...]) -> Tape:
    """The clauses that ``root`` reads, in order, with ``root`` last."""
    whole = builder.build()
    kept = np.zeros(len(whole), bool)
    needed = kept.tolist()
    needed[root] = True
    left, right = whole.left.tolist(), whole.right.tolist()
    arity = ARITY[whole.codes].tolist()
    for i in range(root, -1, -1):
        if needed[i] and arity[i]:
            needed[left[i]] = True
            if arity[i] == 2:
                needed[right[i]] = True
    kept[:] = needed
    short = select(whole, kept, np.arange(len(whole)))
    assert set(whole.variables) <= set(variables)
    return short
