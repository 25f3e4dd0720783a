"""Array libraries by name: NumPy and CuPy."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from intervalvm.arguments import brief, is_word
from intervalvm.errors import OptionError
from intervalvm.evaluate.points import POINT_RULES, Points, Rules
from intervalvm.gpu import device


def array_module(backend: str) -> ModuleType:
    """The array library of a back end: "numpy" or "cupy". Raises what ``device.cupy`` does."""
    if is_word(backend, ("numpy",)):
        return np
    if is_word(backend, ("cupy",)):
        return device.cupy()
    raise OptionError(f"no array back end {brief(backend)}: choose 'numpy' or 'cupy'")


def with_rules(points: Points, backend: str) -> tuple[Points, Rules]:
    """The namespace of operations of a back end, and the points as its arrays."""
    if backend == "numpy":
        return points, POINT_RULES
    from intervalvm.gpu.dense import Clauses

    clauses = Clauses(points.xp.module, points.xp.dtype)
    return clauses.prepared(points), clauses.rules
