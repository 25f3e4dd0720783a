"""Evaluators whose bounds of one box come from a compiled kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.compiler.plain import plain_program
from intervalvm.compiler.program import INPUTS
from intervalvm.evaluate.evaluators import Base, ClauseBounds, Evaluator, Floats, Inputs, Reals
from intervalvm.jit import layout as c
from intervalvm.jit import native
from intervalvm.jit.layout import interval_bytes, interval_offsets
from intervalvm.memory import address_of, aligned
from intervalvm.ops import CODE
from intervalvm.tape import Tape
from intervalvm.tape.liveness import ARITY
from intervalvm.words import Meaning


class _Compiled(Base):
    """``clause_bounds`` by the kernel, for tapes in x and y."""

    def clause_bounds(self, tape: Tape, numbers: Sequence[Any], inputs: Inputs) -> ClauseBounds:
        dtype, constants = self.dtype, self.pool(numbers)
        program = plain_program(tape, dtype, constants)
        places, stride = len(program) + INPUTS, interval_bytes(dtype, 1)
        slots, choices = aligned(places * stride), np.empty(2 * places, np.uint64)
        _, upper_at, nan_at = interval_offsets(dtype, 1)
        ends = np.ndarray((places, 2), dtype, slots, strides=(stride, upper_at))
        nan = np.ndarray((places,), np.int64, slots, nan_at, (stride,))
        for place, axis in enumerate(AXES_READ):
            side = inputs.axes[axis]
            ends[place], nan[place] = (side.lower[0], side.upper[0]), side.maybe_nan[0]
        context = np.zeros(c.FIELDS, np.int64)
        context[[c.RECORDS, c.LENGTH]] = address_of(program.records), len(program)
        context[[c.CONSTANTS, c.FULL]] = address_of(program.constants), address_of(slots)
        context[c.CHOICES] = address_of(choices)
        native.kernel("bounds", DTYPE_NAMES[dtype], self.meaning)(address_of(context))
        pairs = constants.reshape(len(tape), -1)
        lower, upper = pairs[:, 0].copy(), pairs[:, -1].copy()
        maybe_nan = np.isnan(lower)
        for place, axis in enumerate(AXES_READ):
            reads = tape.codes == CODE[axis]
            lower[reads], upper[reads] = ends[place]
            maybe_nan[reads] = nan[place] & 1
        # records stand in the order of the clauses that are neither constants nor inputs
        is_record = ARITY[tape.codes] > 0
        written = slice(INPUTS, INPUTS + np.count_nonzero(is_record))
        lower[is_record], upper[is_record] = ends[written].T
        maybe_nan[is_record] = nan[written] & 1 != 0
        return ClauseBounds(numbers, lower, upper, maybe_nan)


class _Floats(_Compiled, Floats):
    pass


class _Reals(_Compiled, Reals):
    pass


AXES_READ = ("var-x", "var-y")
"""At places 0 and 1."""
_EVALUATORS: dict[Meaning, type[Evaluator]] = {Meaning.FLOAT: _Floats, Meaning.REAL: _Reals}


def evaluator(meaning: Meaning, dtype: np.dtype[Any]) -> Evaluator:
    """The evaluator of a meaning, for tapes in x and y."""
    return _EVALUATORS[meaning](dtype)
