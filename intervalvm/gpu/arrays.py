"""Back ends of arrays, by name: NumPy, and CuPy where it is asked for."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from intervalvm.arguments import brief, is_word
from intervalvm.errors import OptionError
from intervalvm.evaluate.points import POINT_RULES, PointRules, Points
from intervalvm.gpu import device


def array_module(backend: str) -> ModuleType:
    """The array library of a back end: "numpy" or "cupy". Raises what ``device.cupy`` does."""
    if is_word(backend, ("numpy",)):
        return np
    if is_word(backend, ("cupy",)):
        return device.cupy()
    raise OptionError(f"no array back end {brief(backend)}: choose 'numpy' or 'cupy'")


def with_rules(points: Points, backend: str) -> tuple[Points, PointRules]:
    """What computes the operations on a back end's arrays, and the points as that takes them."""
    if backend == "numpy":
        return points, POINT_RULES
    from intervalvm.gpu.dense import Clauses

    clauses = Clauses(points.xp.module, points.xp.dtype)
    return clauses.prepared(points), clauses.rules
