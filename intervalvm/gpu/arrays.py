"""Where arrays lie, in the host's memory or on a GPU, and what computes with them there."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from intervalvm.evaluate.points import POINT_RULES, PointRules, Points
from intervalvm.gpu import device


def array_module(*, on_gpu: bool) -> ModuleType:
    """The library of arrays: NumPy, or CuPy. Raises what ``device.cupy`` does."""
    return device.cupy() if on_gpu else np


def with_rules(points: Points) -> tuple[Points, PointRules]:
    """What computes the operations where the arrays lie, and the points as that takes them."""
    if points.xp.module is np:
        return points, POINT_RULES
    from intervalvm.gpu.dense import Clauses

    clauses = Clauses(points.xp.module, points.xp.dtype)
    return clauses.prepared(points), clauses.rules
