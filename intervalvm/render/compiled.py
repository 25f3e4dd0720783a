"""The quadtree walk through compiled kernels, on as many threads as asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache, partial
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
    tame, careful = (partial(native.kernel, kind, dtype) for kind in ("tame", "careful"))
    width, height = len(x), len(y)
    samples = np.zeros(width + height + 2 * c.BLOCK_PX, plan.dtype)  # padded by a block each
    y_start = width + c.BLOCK_PX
    samples[:width], samples[y_start : y_start + height] = x, y
    shared, bits = np.zeros(c.SHARED_WORDS, np.int64), np.array(steps, np.int64)
    with plan.workspaces(threads + 1, len(steps)) as (root, *own):
        frame = plan.frame.copy()
        frame[c.WIDTH_PX], frame[c.HEIGHT_PX] = width, height
        frame[c.X] = samples.ctypes.data
        frame[c.Y] = frame[c.X] + y_start * plan.dtype.itemsize
        frame[c.IMAGE], frame[c.IS_VALUE] = pixels.ctypes.data, pixels.dtype != np.uint8
        frame[c.STEPS], frame[c.BITS] = len(steps), bits.ctypes.data
        frame[c.VALID], frame[c.BUDGET] = -1, BUDGET
        frame[c.SHARED], frame[c.ROOT_CONTEXT] = shared.ctypes.data, root.address
        for workspace in (root, *own):
            workspace.stats[:] = 0
        while True:
            shared[:] = 0
            root.start(frame, depth=0)
            contexts = [workspace.start(frame, depth=0) for workspace in own]
            own[0].context[c.DEPTH] = -1
            if not plan.is_tame:
                careful()(contexts[0])
            walk = tame() if plan.is_tame or root.context[c.TAME] else careful()
            _run(walk, contexts, shared, pixels.size, progress)
            if not root.stack[c.DEFERRED]:
                break
            frame[c.VALID] = root.stack[c.DEFERRED]
        stats = root.stats + sum(workspace.stats for workspace in own)
    return [Counts(*row[:-1]) for row in stats[: len(steps)].tolist()]


def load(plan: Plan) -> None:
    """Have the kernels that a plan needs ready: compiled on this machine's first run."""
    native.kernel("tame" if plan.is_tame else "careful", plan.dtype.name)


def _run(
    walk: native.Kernel,
    contexts: list[int],
    shared: NDArray[np.int64],
    total: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Walk until no task is left, one thread a context, the caller's thread among them.

    The others are called before the root is split, and wait for it: waking them takes as long.

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
                tasks = int(shared[c.READY]) - 1
                progress(min(int(shared[c.NEXT_TASK]), tasks) * total // (tasks + 1), total)
        for other in others:
            other.result()
    finally:
        stop.append(True)
        if not shared[c.READY]:
            shared[c.READY] = 1  # no tasks: whoever waits for the root goes home
        for other in others:
            other.exception()


@lru_cache(4)
def _pool(_process: int, threads: int) -> ThreadPoolExecutor:
    """Threads kept for the next frame; by process, since a fork does not inherit them."""
    return ThreadPoolExecutor(threads, thread_name_prefix="intervalvm")
