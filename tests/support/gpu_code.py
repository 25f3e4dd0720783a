"""What suites of kernels share that look at the code which numba-cuda makes of them."""

from __future__ import annotations

import importlib.util
import re

import pytest


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
