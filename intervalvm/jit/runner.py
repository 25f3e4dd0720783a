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
        return run_kernel(native.kernel(of.name, "float64"), of, arrays, answer)


COMPILED: Runner = _Compiled()


def run_kernel(
    kernel: native.Kernel, of: Pass, arrays: Arrays, answer: Answer | None = None
) -> int:
    """Call a kernel with the addresses of a pass's arrays, as long as ``answer`` says."""
    work = of.work(*(arrays[name] for name in of.fields))
    addresses = np.array([address_of(array) for array in work])
    status = kernel(address_of(addresses))
    while answer is not None and answer(status, work):
        status = kernel(address_of(addresses))
    return status
