"""Runs the passes over the leaves of a quadtree: see ``tasks``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.jit import tasks
from intervalvm.jit.outlines import layout as c
from intervalvm.jit.outlines.tasks import PASS

LONG = 1 << 20
"""The rows of arrays from which a task may take a twentieth of a second."""


def run_task(
    task: int,
    sizes: dict[int, int],
    arrays: dict[str, NDArray[Any]],
    before: tasks.Given | None = None,
) -> tuple[NDArray[np.int64], bool]:
    """Run a pass; returns its sizes, and whether there was no room for what it found."""
    found, status = tasks.run(PASS, {c.TASK: task, **sizes}, arrays, c.SIZES, LONG, before)
    return found, status != 0
