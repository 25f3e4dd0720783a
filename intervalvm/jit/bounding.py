"""The kernel that bounds the clauses of a tape in x, y and z over one box.

It writes a plain program, all of whose values are of kind f, runs the loop of an interval of one
lane, and copies the bounds of each clause out. Its argument is the addresses of the arrays of
``bounds``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.core import types

from intervalvm.compiler.program import INPUTS, F, K, word_at
from intervalvm.jit.bounds import CHOICES, CLAUSES, SLOTS, bounds_pass
from intervalvm.jit.interpreter import Loop
from intervalvm.jit.intrinsics import call_of, int64_at, jit, pointer_to
from intervalvm.jit.layout import interval_bytes, interval_offsets
from intervalvm.jit.work import Work, work_reader
from intervalvm.ops import CODE
from intervalvm.words import Meaning

CONST, VAR_X = CODE["const"], CODE["var-x"]


def build_bounds(dtype: str, meaning: Meaning) -> tuple[Any, tuple[Loop, ...]]:
    """The kernel for a dtype and the meaning of bounds."""
    box = Loop("region", dtype, False, 1, meaning)
    evaluate, work_at = call_of(box), work_reader(Work(bounds_pass(dtype)))
    floats_at = pointer_to(types.float32 if dtype == "float32" else types.float64)
    ends, stride = 2 if meaning is Meaning.REAL else 1, interval_bytes(dtype, 1)
    lower_at, upper_at, nan_at = interval_offsets(dtype, 1)
    at = jit(word_at)

    @jit
    def write_program(w, n):
        """Write records and constants; returns the number of records."""
        count, constants = 0, 0
        for i in range(n):
            code = w.codes[i]
            if code == CONST:
                w.pool[ends * constants] = w.lower[i]
                w.pool[ends * constants + ends - 1] = w.upper[i]
                w.place[i] = constants
                constants += 1
            elif w.arity[code] == 0:
                w.place[i] = code - VAR_X
            else:
                a, kind, right, right_kind = w.left[i], F, 0, K
                if w.codes[a] == CONST:
                    kind = K
                if w.arity[code] > 1:
                    b = w.right[i]
                    right, right_kind = w.place[b], K if w.codes[b] == CONST else F
                w.records[4 * count] = w.words[at(code, kind, right_kind)]
                w.records[4 * count + 1], w.records[4 * count + 2] = w.place[a], right
                w.records[4 * count + 3] = 0
                w.place[i] = count + INPUTS
                count += 1
        return count

    def bounds(address):
        """Bound each clause; the interval slots of what it reads are written already."""
        w, records = work_at(address), int64_at(address)[0]
        n, slots = w.state[CLAUSES], w.state[SLOTS]
        count = write_program(w, n)
        pool, choices = int64_at(address)[1], w.state[CHOICES]
        evaluate(records, count, slots, np.int64(0), np.int64(0), pool, choices)
        for i in range(n):
            if w.codes[i] == CONST:
                w.maybe_nan[i] = w.lower[i] != w.lower[i]
            else:
                slot = slots + stride * w.place[i]
                w.lower[i] = floats_at(slot + lower_at)[0]
                w.upper[i] = floats_at(slot + upper_at)[0]
                w.maybe_nan[i] = int64_at(slot + nan_at)[0] & 1
        return 0

    return bounds, (box,)
