"""Runs the compiler's passes as kernels."""

from __future__ import annotations

import numpy as np

from intervalvm.compiler.passes import Answer, Arrays, Pass, Runner
from intervalvm.jit import native
from intervalvm.memory import address_of


class _Compiled:
    """Runs a pass as machine code, which the first run on a machine compiles."""

    applies = True

    def run(self, of: Pass, arrays: Arrays, answer: Answer | None = None) -> int:
        kernel = native.kernel(of.name, "float64")
        own = of.work(*(arrays[name] for name in of.fields))
        addresses = np.array([address_of(array) for array in own])
        status = kernel(address_of(addresses))
        while answer is not None and answer(status, own):
            status = kernel(address_of(addresses))
        return status


COMPILED: Runner = _Compiled()
