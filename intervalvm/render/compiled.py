"""The quadtree walk through compiled kernels, on as many threads as asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.pack import INPUT_SLOTS
from intervalvm.render import context as c
from intervalvm.render import native
from intervalvm.render.plan import Plan
from intervalvm.render.quadtree import Counts

BUDGET = 100_000_000
"""Records x lanes a call evaluates before it returns to Python: some 10 ms."""


def render(
    plan: Plan,
    x: NDArray[Any],
    y: NDArray[Any],
    pixels: NDArray[Any],
    steps: Sequence[int],
    *,
    threads: int,
    progress: Callable[[int, int], None] | None = None,
) -> list[Counts]:
    """Fill ``pixels`` (zeros; uint8 for a bitmap, else the dtype) and count what was done.

    ``steps`` are the levels of the quadtree that each split takes. The image does not depend on
    ``threads``.
    """
    dtype = plan.dtype.name
    padding = np.zeros(c.BLOCK_PX, plan.dtype)
    keep = [np.concatenate((axis, padding)) for axis in (x, y)]
    bits = np.array(steps, np.int64)
    counter, tasks = np.zeros(1, np.int64), np.zeros(c.LANES, np.int64)
    with plan.workspaces(threads + 1, len(steps)) as (shared, *own):
        frame = np.zeros(c.FIELDS, np.int64)
        for field, value in (
            (c.WIDTH_PX, len(x)),
            (c.HEIGHT_PX, len(y)),
            (c.X, keep[0].ctypes.data),
            (c.Y, keep[1].ctypes.data),
            (c.IMAGE, pixels.ctypes.data),
            (c.IS_VALUE, pixels.dtype != np.uint8),
            (c.RECORDS, plan.packed.records.ctypes.data),
            (c.LENGTH, len(plan.packed.records)),
            (c.RESULT, len(plan.packed.records) + INPUT_SLOTS - 1),
            (c.CONSTANTS, plan.packed.constants.ctypes.data),
            (c.STEPS, len(steps)),
            (c.BITS, bits.ctypes.data),
            (c.VALID, -1),
            (c.TASK, counter.ctypes.data),
            (c.TASK_LIST, tasks.ctypes.data),
            (c.ROOT_STACK, shared.stack.ctypes.data),
            (c.BUDGET, BUDGET),
        ):
            frame[field] = value
        for workspace in (shared, *own):
            workspace.stats[:] = 0
        careful = native.walk(dtype, tame=False)
        while True:
            root = frame.copy()
            shared.enter(root)
            root[c.DEPTH] = -1
            careful(root.ctypes.data)
            children = _bits(shared.stack[c.REMAINING])
            tasks[: len(children)] = children
            counter[0], frame[c.TASKS] = 0, len(children)
            walk = native.walk(dtype, tame=True) if root[c.TAME] else careful
            contexts = []
            for workspace in own[: max(1, min(threads, len(children)))]:
                contexts.append(frame.copy())
                workspace.enter(contexts[-1])
            _run(walk, contexts, counter, pixels.shape[0] * pixels.shape[1], progress)
            if not shared.stack[c.DEFERRED]:
                break
            frame[c.VALID] = shared.stack[c.DEFERRED]
        stats = np.sum([workspace.stats for workspace in (shared, *own)], axis=0)
    return [
        Counts(*row[: c.COUNTS - 1]) for row in stats.reshape(-1, c.COUNTS)[: len(steps)].tolist()
    ]


def load(plan: Plan) -> None:
    """Have the kernels of a plan's dtype ready: compiled on this machine's first run."""
    native.walk(plan.dtype.name, tame=False)
    native.walk(plan.dtype.name, tame=True)


def _bits(mask: int) -> list[int]:
    return [k for k in range(c.LANES) if int(mask) >> k & 1]


def _run(
    walk: native.Walk,
    contexts: list[NDArray[np.int64]],
    counter: NDArray[np.int64],
    total: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Walk until no task is left, one thread a context, the caller's thread among them.

    An exception, such as an interrupt or one that ``progress`` raises, stops all threads first.
    """
    tasks = int(contexts[0][c.TASKS])
    stop: list[bool] = []

    def work(context: NDArray[np.int64]) -> None:
        while not stop and walk(context.ctypes.data):
            pass

    others: list[Future[None]] = [
        _pool(os.getpid(), len(contexts) - 1).submit(work, context) for context in contexts[1:]
    ]
    try:
        while walk(contexts[0].ctypes.data):
            if progress is not None:
                progress(min(int(counter[0]), tasks) * total // (tasks + 1), total)
        for other in others:
            other.result()
    finally:
        stop.append(True)
        for other in others:
            other.exception()


@lru_cache(4)
def _pool(_process: int, threads: int) -> ThreadPoolExecutor:
    """Threads kept for the next frame; by process, since a fork does not inherit them."""
    return ThreadPoolExecutor(threads, thread_name_prefix="intervalvm")
