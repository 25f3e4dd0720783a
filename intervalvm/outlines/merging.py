"""Merges pieces of curves into longer ones: flat parts need few points.

A chord may take the place of pieces of one curve if it crosses the same sides in the same order,
and is alone in the leaves between them. Then it is made as the pieces were: it has one crossing on
each of these sides and one piece in each leaf, so curves stay simple (see ``chains``). Where a leaf
has more than two chords all of them go along with the direction from its entry to its exit.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.jit.outlines import layout as c
from intervalvm.jit.outlines.running import run_task
from intervalvm.outlines.chains import Loops
from intervalvm.outlines.field import Array


def merged(found: Loops, may_be: float) -> list[Array]:
    """The curves, float64[n, 2] each, moved by at most ``may_be`` more."""
    many, starts = len(found.vertices), found.starts.copy()
    points = np.empty((many, 2))
    arrays: dict[str, NDArray[Any]] = {
        "vertices": found.vertices,
        "starts": starts,
        "is_closed": found.is_closed,
        "kept": np.empty(many, np.uint8),
        "failed": np.empty(2 * many, np.int32),
        "left": np.empty(many, np.int32),
        "points": points,
        "may_be": np.array([may_be]),
    }
    run_task(c.MERGE, {c.COUNT: many, c.CURVES: len(found.is_closed)}, arrays)
    return [points[start:end] for start, end in pairwise(starts.tolist())]
