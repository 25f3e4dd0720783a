"""A plain program whose values share memory: each has a slot, used again after its last use.

Inputs have the first slots and keep them. The third word of a record, which has no third operand,
says in which slot its result is; below it are the bits of programs for derivatives (``jit.duals``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.program import INPUTS, LEFT_PLACE, RIGHT_PLACE, Program
from intervalvm.jit.request import THIRD_WORDS

SLOT_SHIFT = THIRD_WORDS.bit_length() - 1
MOST_SLOTS = 1 << 32 - SLOT_SHIFT
SIDES = ((1, LEFT_PLACE), (2, RIGHT_PLACE))
"""The words of operands, with the flags of those that are places."""


@dataclass(frozen=True)
class SlottedProgram:
    """Records uint32[n, 4] whose places are slots, and the pool of constants.

    The first ``inputs`` slots are those of the inputs, ``result`` is that of the result.
    """

    records: NDArray[np.uint32]
    constants: NDArray[Any]
    inputs: int
    slots: int
    result: int

    def __len__(self) -> int:
        return len(self.records)


def slotted(program: Program, inputs: int) -> SlottedProgram:
    """A plain program of so many inputs, whose places follow those of the records."""
    n, records = len(program), program.records.copy()
    last = _last_uses(program, inputs)
    slot = [0] * (n + INPUTS) + list(range(inputs))
    dead: list[list[int]] = [[] for _ in range(n + 1)]
    for place in range(INPUTS, n + INPUTS):
        dead[last[place]].append(place)
    free: list[int] = []
    count = inputs
    for i in range(n):
        # the operands are read before the result is written, so it may be where one of them was
        free += [slot[place] for place in dead[i] if place != i + INPUTS]
        if free:
            slot[i + INPUTS] = free.pop()
        else:
            slot[i + INPUTS], count = count, count + 1
        if last[i + INPUTS] == i:
            free.append(slot[i + INPUTS])
    assert count <= MOST_SLOTS
    slots = np.array(slot, np.uint32)
    for word, flag in SIDES:
        is_place = (records[:, 0] & flag) != 0
        records[is_place, word] = slots[records[is_place, word]]
    records[:, 3] |= slots[INPUTS : INPUTS + n] << np.uint32(SLOT_SHIFT)
    return SlottedProgram(records, program.constants, inputs, max(count, 1), slot[program.result])


def _last_uses(program: Program, inputs: int) -> list[int]:
    """By place the last record that reads it: its own number if none does, of the result n."""
    n, records = len(program), program.records
    last = np.arange(-INPUTS, n + inputs)
    for word, flag in SIDES:
        readers = np.flatnonzero(records[:, 0] & flag)
        np.maximum.at(last, records[readers, word], readers)
    last[program.result] = n
    found: list[int] = last.tolist()
    return found
