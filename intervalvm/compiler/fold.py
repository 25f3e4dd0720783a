"""Fold constants, share common subexpressions, drop what nobody reads. No bit changes.

Constants are computed by the dense evaluator's own rules in the dtype of the evaluation, so the
result of this pass holds for that dtype alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from intervalvm.ops import AXES, OPS, ROWS
from intervalvm.tape import Tape, TapeBuilder, select


def fold(tape: Tape, xp: Any, settings: dict[str, Any] | None = None) -> Tape:
    """The shortest tape of the same bits that these rules find, in the dtype of ``xp``.

    ``xp`` is the namespace to compute constants with. ``settings`` maps inputs ("var-z", or the
    name of a free variable) to numbers, which then count as constants.
    """
    dtype = np.dtype(xp.dtype)
    given = settings or {}
    builder = TapeBuilder()
    known: dict[tuple[Any, ...], int] = {}
    constant: dict[int, Any] = {}
    place: list[int] = []
    constants = tape.constants(dtype)

    def const(value: Any) -> int:
        value = dtype.type(np.nan if np.isnan(value) else value)  # any NaN is as good as another
        key = ("const", value.tobytes())
        if key not in known:
            known[key] = builder.const(float(value), np.float32(value))
            constant[known[key]] = value
        return known[key]

    with np.errstate(all="ignore"):
        for i, code in enumerate(tape.codes.tolist()):
            op = ROWS[code]
            if op.name == "const":
                place.append(const(constants[i]))
                continue
            if op.is_input:
                name = tape.variables[tape.left[i]] if op.name == "var" else op.name
                if name in given:
                    place.append(const(given[name]))
                    continue
                key: tuple[Any, ...] = (code, name)
                if key not in known:
                    is_axis = op.name in AXES.values()
                    known[key] = builder.clause(op.name) if is_axis else builder.variable(name)
                place.append(known[key])
                continue
            operands = [place[operand] for operand in tape.operands(i)]
            same = operands[0] == operands[-1]
            if op.name == "copy" or (op.has_choice and same):
                place.append(operands[0])
                continue
            if all(operand in constant for operand in operands):
                rule = OPS[op.name].point
                assert rule is not None
                place.append(const(rule(xp, *(constant[operand] for operand in operands))))
                continue
            key = (code, *operands)
            if key not in known:
                known[key] = builder.clause(op.name, *operands)
            place.append(known[key])
    return _reachable(builder, place[-1], tape.variables)


def _reachable(builder: TapeBuilder, root: int, variables: tuple[str, ...]) -> Tape:
    """The clauses that ``root`` reads, in order, with ``root`` last."""
    whole = builder.build()
    kept = np.zeros(len(whole), bool)
    kept[root] = True
    for i in range(root, -1, -1):
        if kept[i]:
            kept[list(whole.operands(i))] = True
    short = select(whole, kept, np.arange(len(whole)))
    assert set(whole.variables) <= set(variables)
    return short
