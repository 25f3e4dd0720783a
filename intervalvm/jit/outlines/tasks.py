"""The pass over the leaves of a quadtree: one kernel of several tasks."""

from __future__ import annotations

from typing import Any

from intervalvm.compiler.passes import Pass
from intervalvm.jit.outlines.bends import start_bends, step_bends
from intervalvm.jit.outlines.chains import chain, write_vertices
from intervalvm.jit.outlines.judging import judge, write_boxes
from intervalvm.jit.outlines.layout import (
    BOXES,
    CHAIN,
    CORNERS_OF,
    CROSSED,
    FIELDS,
    FILL,
    JUDGE,
    PAIRS,
    ROUNDS,
    START_BENDS,
    START_ROOTS,
    STEP_BENDS,
    STEP_ROOTS,
    TASK,
    VALUES,
    VERTICES,
)
from intervalvm.jit.outlines.merging import merge
from intervalvm.jit.outlines.roots import start_roots, step_roots
from intervalvm.jit.outlines.rounds import pairs, rounds
from intervalvm.jit.outlines.tables import corners_of, crossed, fill, take_values


def run_task(w: Any) -> int:
    """Carry out a task; returns 1 if there is no room for what it finds."""
    task = w.sizes[TASK]
    if task == FILL:
        fill(w)
    elif task == BOXES:
        write_boxes(w)
    elif task == JUDGE:
        judge(w)
    elif task == CORNERS_OF:
        return corners_of(w)
    elif task == VALUES:
        take_values(w)
    elif task == CROSSED:
        return crossed(w)
    elif task == START_ROOTS:
        start_roots(w)
    elif task == STEP_ROOTS:
        step_roots(w)
    elif task == START_BENDS:
        start_bends(w)
    elif task == STEP_BENDS:
        step_bends(w)
    elif task == ROUNDS:
        return rounds(w)
    elif task == PAIRS:
        pairs(w)
    elif task == CHAIN:
        chain(w)
    elif task == VERTICES:
        write_vertices(w)
    else:
        merge(w)
    return 0


PASS = Pass("outline", run_task, FIELDS)
"""The pass over the leaves of a quadtree as a kernel, compiled by numba from the source that Python
runs."""
