"""Merges pieces of curves into longer ones: flat parts need few points.

A chord may take the place of pieces of one curve if it crosses the same sides in the same order,
and is alone in the leaves between them. Then it is made as the pieces were: it has one crossing on
each of these sides and one piece in each leaf, so curves stay simple (see ``chains``). Where a leaf
has more than two chords all of them go along with the direction from its entry to its exit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.jit.outlines import layout as c
from intervalvm.outlines.chains import Loops
from intervalvm.outlines.field import Array
from intervalvm.outlines.passes import run_task


def merged(found: Loops, may_be: float) -> list[Array]:
    """The curves, float64[n, 2] each, moved by at most ``may_be`` more."""
    points = np.ascontiguousarray(found.vertices[:, c.X : c.Y + 1])
    kept = _kept(found, may_be) if may_be else np.ones(len(points), bool)
    curves = []
    for k, start in enumerate(found.starts[:-1].tolist()):
        end = int(found.starts[k + 1])
        some = start + np.flatnonzero(kept[start:end])
        least = 4 if found.is_closed[k] else 2
        curves.append(points[some] if len(some) >= least else points[start:end])
    return curves


def _kept(found: Loops, may_be: float) -> NDArray[np.bool_]:
    """Of each vertex whether it stays. Every second one is tried, until none can go."""
    many = len(found.vertices)
    kept, fixed = np.ones(many, np.uint8), np.zeros(many, np.uint8)
    fixed[found.starts[:-1]] = fixed[found.starts[1:] - 1] = 1
    arrays: dict[str, NDArray[Any]] = {
        "vertices": found.vertices,
        "fixed": fixed,
        "kept": kept,
        "crowded": np.empty(many, np.int32),
        "failed": np.full(2 * many, -1, np.int32),
        "left": np.empty(many, np.int32),
        "may_be": np.array([may_be]),
    }
    run_task(c.MERGE, {c.COUNT: many}, arrays)
    return kept.view(np.bool_)
