"""Crossings: where the value changes its sign on segments, found for many at once.

See ``jit.meshes.roots``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.jit.meshes import layout as c
from intervalvm.jit.meshes.roots import ROOT
from intervalvm.jit.meshes.running import prepared
from intervalvm.meshes.sampler import Blocks


class Crossings(NamedTuple):
    """``points`` and ``normals``, float64[n, 3]; a normal is 0 where there is no gradient."""

    points: NDArray[np.float64]
    normals: NDArray[np.float64]


def crossings(
    samples: Blocks,
    segments: NDArray[np.float64],
    owners: NDArray[np.int32],
    near: float,
    away: float,
) -> Crossings:
    """The crossings of segments [n, SEGMENT], which are in the blocks ``owners``.

    As shares they have an error of ``near``, and are at least ``away`` from the ends.
    """
    n = len(segments)
    found = Crossings(np.empty((n, 3)), np.empty((n, 3)))
    arrays = {
        "segments": segments,
        "limits": np.array([near, away]),
        "roots": np.empty((n, ROOT)),
        "left": np.empty(n, np.int32),
        "blocks": owners,
        "owners": np.empty(n, np.int32),
        "starts": np.empty(len(samples) + 1, np.int32),
        "asked": np.empty((3, n)),
        "duals": np.empty((4, n)),
        "points": found.points,
        "normals": found.normals,
    }
    run = prepared(arrays)
    run(c.START_ROOTS, {c.ROOM: n, c.BLOCKS: len(samples)})
    count = n
    while count:
        points, asked = list(arrays["asked"][:, :count]), arrays["owners"][:count]
        samples.slopes(points, asked, arrays["duals"][:, :count])
        count = run(c.STEP_ROOTS, {c.ROOM: n, c.COUNT: count})
    return found
