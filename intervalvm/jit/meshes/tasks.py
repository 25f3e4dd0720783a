"""The pass over an octree: one kernel of several tasks."""

from __future__ import annotations

from typing import Any

from intervalvm.compiler.passes import Pass
from intervalvm.jit.meshes.cells import find_blocks, judge, mark_simple, write_children
from intervalvm.jit.meshes.corners import read_corners, write_corners
from intervalvm.jit.meshes.flips import flip_faces
from intervalvm.jit.meshes.joining import join_cells
from intervalvm.jit.meshes.layout import (
    CHILDREN,
    FIELDS,
    FIND_BLOCKS,
    FLIP,
    JOIN,
    JUDGE,
    MARK_SIMPLE,
    READ_CORNERS,
    REDUCE,
    RINGS,
    SEGMENTS,
    SETTLE,
    SOLVE,
    START_ROOTS,
    STEP_ROOTS,
    SUM,
    TASK,
    THIN,
    TRIANGLES,
    WALK,
    WRITE_CORNERS,
)
from intervalvm.jit.meshes.planes import solve_all, sum_planes
from intervalvm.jit.meshes.rings import find_rings
from intervalvm.jit.meshes.roots import start_roots, step_roots, write_segments
from intervalvm.jit.meshes.settling import settle
from intervalvm.jit.meshes.thinning import thin
from intervalvm.jit.meshes.triangles import number, write_triangles
from intervalvm.jit.meshes.walk import reduce_edges, walk


def run_task(w: Any) -> int:
    """Carry out a task."""
    task = w.sizes[TASK]
    if task == CHILDREN:
        write_children(w)
    elif task == JUDGE:
        judge(w)
    elif task == MARK_SIMPLE:
        mark_simple(w)
    elif task == FIND_BLOCKS:
        find_blocks(w)
    elif task == WRITE_CORNERS:
        write_corners(w)
    elif task == READ_CORNERS:
        read_corners(w)
    elif task == WALK:
        walk(w)
    elif task == REDUCE:
        reduce_edges(w)
    elif task == SEGMENTS:
        write_segments(w)
    elif task == START_ROOTS:
        start_roots(w)
    elif task == STEP_ROOTS:
        step_roots(w)
    elif task == RINGS:
        find_rings(w)
    elif task == SUM:
        sum_planes(w)
    elif task == JOIN:
        join_cells(w)
    elif task == SOLVE:
        solve_all(w)
    elif task == SETTLE:
        settle(w)
    elif task == FLIP:
        flip_faces(w)
    elif task == TRIANGLES:
        write_triangles(w)
    elif task == THIN:
        thin(w)
    else:
        number(w)
    return 0


PASS = Pass("mesh", run_task, FIELDS)
