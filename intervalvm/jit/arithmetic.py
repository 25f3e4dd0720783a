"""The arithmetics, whose bounds of one box come from a compiled kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.arith.directed import DOWN, UP
from intervalvm.compiler.passes import Scratch
from intervalvm.compiler.program import INPUTS, first_words
from intervalvm.evaluate.arithmetic import (
    Arithmetic,
    Base,
    ClauseBounds,
    Clauses,
    Floats,
    Inputs,
    Reals,
)
from intervalvm.jit import native
from intervalvm.jit.bounds import bounds_pass
from intervalvm.jit.layout import interval_bytes, interval_offsets
from intervalvm.jit.runner import run_kernel
from intervalvm.memory import address_of
from intervalvm.ops import CODE
from intervalvm.tape.liveness import ARITY
from intervalvm.words import Meaning


class _Compiled(Base):
    """``clause_bounds`` by the kernel, for tapes in x, y and z."""

    def clause_bounds(
        self, table: Clauses, inputs: Inputs, scratch: Scratch | None = None
    ) -> ClauseBounds:
        n, name, scratch = len(table.codes), DTYPE_NAMES[self.dtype], scratch or Scratch()
        take = scratch.take
        places, stride = n + INPUTS, interval_bytes(self.dtype, 1)
        slots, choices = (
            take("slots", places * stride, "uint8"),
            take("chosen", 2 * places, "uint64"),
        )
        _, upper_at, nan_at = interval_offsets(self.dtype, 1)
        ends = np.ndarray((INPUTS, 2), self.dtype, slots, strides=(stride, upper_at))
        nan = np.ndarray((INPUTS,), np.int64, slots, nan_at, (stride,))
        for axis, side in inputs.axes.items():
            place = CODE[axis] - CODE["var-x"]
            ends[place], nan[place] = (side.lower[0], side.upper[0]), side.maybe_nan[0]
        lower, upper = self.rounded(table.low, DOWN), self.rounded(table.high, UP)
        maybe_nan = np.empty(n, bool)
        work = {
            "records": take("plain", 4 * n, "uint32"), "pool": take("plain pool", 2 * n, name),
            "codes": table.codes, "left": table.left, "right": table.right,
            "lower": lower, "upper": upper, "maybe_nan": maybe_nan,
            "place": take("place", n, "int32"), "arity": ARITY, "words": first_words(),
            "state": np.array([n, address_of(slots), address_of(choices)]),
        }  # fmt: skip
        run_kernel(native.kernel("bounds", name, self.meaning), bounds_pass(name), work, scratch)
        return ClauseBounds(lower, upper, maybe_nan)


class _Floats(_Compiled, Floats):
    pass


class _Reals(_Compiled, Reals):
    pass


_ARITHMETICS: dict[Meaning, type[Arithmetic]] = {Meaning.FLOAT: _Floats, Meaning.REAL: _Reals}


def arithmetic(meaning: Meaning, dtype: np.dtype[Any]) -> Arithmetic:
    """The arithmetic of a meaning, for tapes in x, y and z."""
    return _ARITHMETICS[meaning](dtype)
