"""The pass over a band as a kernel, compiled by numba from the source that Python runs."""

from __future__ import annotations

from typing import Any

from numba.core import types

from intervalvm.jit.intrinsics import emitted
from intervalvm.jit.lanes import FLOAT
from intervalvm.jit.passes import built
from intervalvm.jit.shading import floats
from intervalvm.jit.shading.band import PASS
from intervalvm.words import Meaning


@emitted(types.float32, types.float32)
def root(builder, value):
    """The square root of a float32."""
    return builder.call(builder.module.declare_intrinsic("llvm.sqrt", [FLOAT]), [value])


def build_shade(_dtype: str, _meaning: Meaning) -> Any:
    """The kernel of ``band``."""
    return built(PASS, (), {floats.root: root})
