"""What suites of kernels share that look at the code which numba-cuda makes of them."""

from __future__ import annotations

import importlib.util
import re
from types import SimpleNamespace

import pytest

from intervalvm.gpu.kernels import ENTRY, Kernel, machine_code, ptx


def missing() -> str:
    """Why no kernel can be compiled here; nothing where it can."""
    if importlib.util.find_spec("numba_cuda") is None:
        return "numba-cuda is not installed"
    from numba import cuda

    try:
        cuda.compile_ptx(lambda: None, (), cc=(9, 0))
    except Exception as error:  # whatever numba-cuda raises without CUDA's compiler
        return f"numba-cuda finds no compiler: {error}"
    return ""


WHY_NOT = missing()
needs_numba_cuda = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
ARCHITECTURES = [(7, 5), (9, 0), (12, 0)]
"""The oldest that CUDA 13 makes code for, an H100's and H200's, and one of the other dialect."""
OTHERWISE = r"\bfma\.\S+|\bmad\.\S*f\d\d|\S*\.approx\S*|\S*\.ftz\S*|\b(?:add|sub|div|sqrt)\.f\d\d"
"""Instructions that round once where two roundings are meant, or otherwise than to nearest, lose
subnormals, or leave the rounding to ptxas: of a sum without ``.rn`` it may make an fma."""


def rounds_otherwise(text: str) -> list[str]:
    return sorted(set(re.findall(OTHERWISE, text)))


def check_code(kernel: Kernel, arrays: int, capability: tuple[int, int]) -> None:
    """A kernel becomes code that rounds as it should, and takes 64 bits for each argument.

    They are those of ``flattened``: seven for each of so many arrays.
    """
    from intervalvm.gpu.devices import flattened

    text = ptx(kernel, capability)
    assert rounds_otherwise(text) == []
    (name,) = ENTRY.findall(text)
    array = SimpleNamespace(size=6, itemsize=4, data=SimpleNamespace(ptr=4096))
    given = flattened(tuple(0 if d is None else array for d in kernel.parameters.values()))
    assert list(kernel.parameters.values()).count(None) == len(given) - 7 * arrays
    head = text[text.index(f".visible .entry {name}(") :]
    taken = re.findall(r"\.param \.([a-z]\d+)", head[: head.index(")")])
    assert [kind[1:] for kind in taken] == ["64"] * len(given)
    code = machine_code(text, capability)
    assert code.startswith(b"\x7fELF")
    assert name.encode() in code
