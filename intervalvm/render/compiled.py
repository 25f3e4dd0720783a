"""The quadtree walk through compiled kernels, on as many threads as asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    first_walk = native.kernel("tame" if plan.is_tame else "careful", dtype)
    width, height = len(x), len(y)
    samples = np.zeros(width + height + 2 * c.BLOCK_PX, plan.dtype)  # padded by a block each
    y_start = width + c.BLOCK_PX
    samples[:width], samples[y_start : y_start + height] = x, y
    shared_words = np.zeros(1 + c.MOST_STEPS + c.LANES, np.int64)  # counter, levels, tasks
    counter, bits, tasks = np.split(shared_words, (1, 1 + c.MOST_STEPS))
    bits[: len(steps)] = steps
    address = int(shared_words.ctypes.data)
    with plan.workspaces(threads + 1, len(steps)) as (root, *own):
        frame = plan.frame.copy()
        frame[c.WIDTH_PX], frame[c.HEIGHT_PX] = width, height
        frame[c.X] = samples.ctypes.data
        frame[c.Y] = frame[c.X] + y_start * plan.dtype.itemsize
        frame[c.IMAGE], frame[c.IS_VALUE] = pixels.ctypes.data, pixels.dtype != np.uint8
        frame[c.STEPS], frame[c.VALID], frame[c.BUDGET] = len(steps), -1, BUDGET
        frame[c.TASK], frame[c.BITS] = address, address + 8
        frame[c.TASK_LIST] = address + 8 * (1 + c.MOST_STEPS)
        frame[c.ROOT_STACK] = root.context[c.STACK]
        for workspace in (root, *own):
            workspace.stats[:] = 0
        while True:
            first_walk(root.start(frame, depth=-1))
            children = _bits(root.stack[c.REMAINING])
            tasks[: len(children)] = children
            counter[0], frame[c.TASKS] = 0, len(children)
            walk = native.kernel("tame", dtype) if root.context[c.TAME] else first_walk
            used = own[: max(1, min(threads, len(children)))]
            contexts = [workspace.start(frame, depth=0) for workspace in used]
            _run(walk, contexts, counter, len(children), pixels.size, progress)
            if not root.stack[c.DEFERRED]:
                break
            frame[c.VALID] = root.stack[c.DEFERRED]
        stats = root.stats + sum(workspace.stats for workspace in own)
    return [Counts(*row[:-1]) for row in stats[: len(steps)].tolist()]


def load(plan: Plan) -> None:
    """Have the kernels that a plan needs ready: compiled on this machine's first run."""
    native.kernel("tame" if plan.is_tame else "careful", plan.dtype.name)


def _bits(mask: int) -> list[int]:
    word = int(mask)
    return [k for k in range(c.LANES) if word >> k & 1]


def _run(
    walk: native.Kernel,
    contexts: list[int],
    counter: NDArray[np.int64],
    tasks: int,
    total: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Walk until no task is left, one thread a context, the caller's thread among them.

    An exception, such as an interrupt or one that ``progress`` raises, stops all threads first.
    """
    stop: list[bool] = []

    def work(context: int) -> None:
        while not stop and walk(context):
            pass

    others: list[Future[None]] = [
        _pool(os.getpid(), len(contexts) - 1).submit(work, context) for context in contexts[1:]
    ]
    try:
        while walk(contexts[0]):
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
