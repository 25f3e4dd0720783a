"""A surface without vertices that flat parts do not need: see ``jit.meshes.thinning``."""

from __future__ import annotations

import numpy as np

from intervalvm.jit.meshes import layout as c
from intervalvm.jit.meshes.running import run_task
from intervalvm.jit.meshes.thinning import MOST
from intervalvm.meshes.octree import SCRATCH, Octree
from intervalvm.meshes.surface import Surface, numbered

SLACK = 2.0**-16
"""How far flat parts may be from flat, as a share of the smallest cells."""


def thinned(surface: Surface, octree: Octree) -> Surface:
    """The same set of points, of fewer triangles."""
    vertices, triangles = surface.vertices, surface.triangles.copy()
    count, frame = len(triangles), octree.frame
    slack = SLACK * min(map(float, frame.sizes(octree.depth)))
    sizes = run_task(
        c.THIN,
        {c.VERTICES: len(vertices), c.TRIANGLE_COUNT: count},
        {
            "frame": np.array([*frame.low, *frame.sides, 0.0, slack]),
            "vertices": vertices,
            "triangles": triangles,
            "alive": np.empty(count, np.uint8),
            "states": np.empty(len(vertices), np.uint8),
            "nexts": np.empty(3 * count, np.int32),
            **{name: np.empty(len(vertices), np.int32) for name in ("heads", "tails", "stamps")},
            **{name: np.empty(MOST + 1, np.int32) for name in ("ring", "sides")},
            "scratch": np.empty(SCRATCH),
        },
    )
    used, triangles = numbered(len(vertices), triangles[: sizes[c.COUNT]])
    return Surface(vertices[used], triangles, surface.normals[used], surface.counts)
