"""The pass over a band as a kernel, compiled by numba from the source that Python runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba import config
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
    with _unoptimized():
        return built(PASS, (), {floats.root: root})


@contextmanager
def _unoptimized() -> Iterator[None]:
    """Have numba not optimize the parts of a kernel, which takes half of the time of compiling it.

    It would do so again for each part that calls them; once, for the kernel, has the same effect.
    """
    settings = vars(config)
    before = settings["OPT"]
    settings["OPT"] = type(before)(0)
    try:
        yield
    finally:
        settings["OPT"] = before
