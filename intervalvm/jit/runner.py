"""Runs the compiler's passes as kernels."""

from __future__ import annotations

import numpy as np

from intervalvm.compiler.passes import Answer, Arrays, Pass, Runner, Scratch
from intervalvm.jit import native
from intervalvm.memory import address_of


class _Compiled:
    """Runs a pass as machine code, which the first run on a machine compiles."""

    applies = True

    def run(self, of: Pass, arrays: Arrays, scratch: Scratch, answer: Answer | None = None) -> int:
        return run_kernel(native.kernel(of.name, "float64"), of, arrays, scratch, answer)


COMPILED: Runner = _Compiled()


def run_kernel(
    kernel: native.Kernel,
    of: Pass,
    arrays: Arrays,
    scratch: Scratch,
    answer: Answer | None = None,
) -> int:
    """Call a kernel with the addresses of a pass's arrays, as long as ``answer`` says."""
    given = [arrays[name] for name in of.fields]
    none = [None] * len(given), np.empty(len(given), np.int64)
    last, addresses = scratch.kept.get(of.name, none)
    for k, array in enumerate(given):
        if array is not last[k]:  # to ask for an address takes a microsecond
            addresses[k] = address_of(array)
    scratch.kept[of.name] = given, addresses
    address = address_of(addresses)
    status = kernel(address)
    if answer is not None:
        work = of.work(*given)
        while answer(status, work):
            status = kernel(address)
    return status
