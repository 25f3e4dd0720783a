"""Runs the passes over an octree: see ``tasks``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.jit import tasks
from intervalvm.jit.meshes import layout as c
from intervalvm.jit.meshes.tasks import PASS

LONG = 1 << 19
"""The rows of arrays from which a task may take a twentieth of a second."""


def run_task(task: int, sizes: dict[int, int], arrays: dict[str, NDArray[Any]]) -> NDArray[Any]:
    """Run a pass; returns its sizes."""
    found: NDArray[np.int64]
    found, _ = tasks.run(PASS, {c.TASK: task, **sizes}, arrays, c.SIZES, LONG)
    return found


def prepared(arrays: dict[str, NDArray[Any]]) -> Callable[[int, dict[int, int]], int]:
    """Runs passes with the same arrays, by a task and sizes; it returns their ``COUNT``."""
    made = tasks.given(PASS, arrays)

    def run(task: int, sizes: dict[int, int]) -> int:
        found, _ = tasks.run(PASS, {c.TASK: task, **sizes}, {}, c.SIZES, LONG, made)
        return int(found[c.COUNT])

    return run
