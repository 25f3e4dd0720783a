"""A tape to a plain program: clause by clause as it is, not folded, every value of kind f."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.program import FIRST_WORD, INPUTS, Program
from intervalvm.ops import AXES, CODE, ROWS
from intervalvm.tape import Tape
from intervalvm.tape.liveness import ARITY


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

    x, y and z are at the first places, unless ``inputs`` names what the tape may read: coordinates
    and free variables, in the order of their places, which then follow those of the records.
    """
    return _places(tape, inputs)[0]


def _places(tape: Tape, inputs: Sequence[str] | None) -> tuple[NDArray[np.int64], int]:
    """The places, and the number of records."""
    is_const = tape.codes == CODE["const"]
    written = (ARITY[tape.codes] > 0) + _needs_copy(tape).astype(np.int64)
    place = np.cumsum(written) + INPUTS - 1
    count = int(place[-1]) + 1 - INPUTS + int(is_const[-1])
    place[is_const] = np.arange(np.count_nonzero(is_const))
    first, names = (0, AXES) if inputs is None else (count + INPUTS, inputs)
    at = {name: first + k for k, name in enumerate(names)}
    for name, op in AXES.items():
        reads = tape.codes == CODE[op]
        if reads.any():
            place[reads] = at[name]
    if inputs is not None and tape.variables:
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
