"""The quadtree walk through compiled kernels, on as many threads as asked for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.compiler.program import RECORD_BYTES
from intervalvm.jit import layout as c
from intervalvm.jit import native, thread_pool
from intervalvm.jit.layout import BLOCK, shades
from intervalvm.jit.plan import Plan, Workspace
from intervalvm.jit.thread_pool import Work
from intervalvm.jit.workers import Key
from intervalvm.memory import address_of
from intervalvm.words import Meaning

Sides = tuple[NDArray[Any], NDArray[Any]]
BUDGET = 100_000_000
"""Records x lanes of a call before it returns to Python: about 10 ms."""

LeafHook = Callable[[native.Kernel, NDArray[Any], Sequence[Workspace]], native.Kernel]
"""Evaluates leaf tiles on another device. From a walk, the coordinates (x, then y,
each padded by a leaf's width) and prepared workspaces to a walk that collects and draws leaves."""


def render(
    plan: Plan,
    lower: Sides,
    upper: Sides,
    pixels: NDArray[Any],
    steps: Sequence[int],
    *,
    threads: int,
    samples: int = 1,
    tiles: Sequence[NDArray[np.int32]] = (),
    progress: Callable[[int, int], None] | None = None,
    leaf_hook: LeafHook | None = None,
) -> NDArray[np.int64]:
    """Fill ``pixels`` (uint8 for a bitmap, else the dtype); returns the counts of each step.

    Those of a bitmap are 0 before. ``steps`` are the levels of each split. The image
    does not depend on ``threads``. ``lower`` and ``upper`` are the (x, y) of columns and rows: both
    the samples, or the ends of the pixels' areas to prove. With several ``samples`` a pixel each
    way, a bitmap is their coverage. ``tiles`` are maps of the regions of each step to fill.
    """
    tame, careful = (partial(_kernel, plan, is_tame=is_tame) for is_tame in (True, False))
    image, *own = plan.take(threads + 1, len(steps))
    frame = _Frame(plan, image, lower, upper, pixels, steps, samples, tiles)
    caller, *_ = frame.start(own)
    counted = [workspace.stats for workspace in (image, *own)]
    if not plan.program.is_tame:
        careful()(caller)
    walk = tame() if plan.program.is_tame or image.context[c.TAME] else careful()
    if leaf_hook is not None:
        walk = leaf_hook(walk, frame.samples, own)
    run(frame, walk, own, progress, to_the_end=leaf_hook is not None)
    plan.put_back(own[0], image)  # the other threads put back theirs, some of them a little later
    total: NDArray[np.int64] = sum(counted[1:], counted[0])
    return total[: len(steps)]


def narrowed(plan: Plan, x: tuple[Any, Any], y: tuple[Any, Any]) -> Plan:
    """The plan of the same tape for a box (low, high) by (low, high) within the plan's domain.

    Its program is that of the single child of a split, with the same bits at every float point of
    the box.
    """
    x_ends, y_ends = np.array(x, plan.dtype), np.array(y[::-1], plan.dtype)
    pixels = np.zeros((2, 2), np.uint8 if plan.is_bitmap else plan.dtype)
    kernel = _kernel(plan, is_tame=plan.program.is_tame)
    with plan.workspaces(2, 1) as (image, own):
        frame = _Frame(plan, image, (x_ends, y_ends), (x_ends, y_ends), pixels, [0])
        frame.words[c.BUDGET] = 1  # split the box, take its one child and come back
        (context,) = frame.start([own])
        while kernel(context) and own.context[c.LEAF_ROW] == own.context[c.LEAF_BOTTOM]:
            pass
        if own.context[c.LEAF_ROW] == own.context[c.LEAF_BOTTOM]:
            return plan  # proven
        count = int(own.context[c.LEAF_COUNT])
        words = own.arena[: count * RECORD_BYTES].view(np.uint32).copy()
        result = int(own.context[c.LEAF_RESULT])
    program = replace(plan.program, records=words.reshape(-1, 4), result=result)
    return replace(plan, program=program)


class _Frame:
    """The shared part of the kernels' contexts, and the memory it points to.

    A drawing thread refers to the frame, so the memory of a kernel outlives it.
    """

    def __init__(
        self,
        plan: Plan,
        image: Workspace,
        lower: Sides,
        upper: Sides,
        pixels: NDArray[Any],
        steps: Sequence[int],
        samples: int = 1,
        tiles: Sequence[NDArray[np.int32]] = (),
    ) -> None:
        sides = lower if upper[0] is lower[0] else (*lower, *upper)
        # up to a block is read beyond the end, and not used
        starts = np.cumsum([0, *(len(side) + BLOCK for side in sides)]).tolist()
        self.samples = np.zeros(starts[-1], plan.dtype)
        for start, side in zip(starts, sides, strict=False):
            self.samples[start : start + len(side)] = side
        self.shared, self.levels = np.zeros(c.SHARED_WORDS, np.int64), np.array(steps, np.int64)
        self.plan, self.image, self.pixels = plan, image, pixels
        self.words = words = plan.frame.copy()
        words[c.HEIGHT_PX], words[c.WIDTH_PX] = pixels.shape
        words[c.SAMPLES] = samples
        if samples > 1:
            self.shades = shades(samples)
            words[c.SHADES] = address_of(self.shades)
        if tiles:
            self.tiles = tiles, np.array([address_of(each) for each in tiles], np.int64)
            words[c.TILES] = address_of(self.tiles[1])
        at, size = address_of(self.samples), plan.dtype.itemsize
        fields = c.X, c.Y, c.X_UPPER, c.Y_UPPER
        for field, start in zip(fields, starts[:-1] * 2, strict=False):
            words[field] = at + start * size
        words[c.IMAGE], words[c.IS_VALUE] = address_of(pixels), not plan.is_bitmap
        words[c.STEPS], words[c.SPLIT_LEVELS_AT] = len(steps), address_of(self.levels)
        words[c.BUDGET] = BUDGET
        words[c.SHARED], words[c.IMAGE_CONTEXT] = address_of(self.shared), image.address

    def leave(self, workspace: Workspace) -> None:
        """Return a workspace that a thread has left."""
        self.plan.put_back_last(workspace)

    def start(self, own: Sequence[Workspace]) -> list[int]:
        """Prepare all contexts; returns the addresses of those in ``own``, the caller's first.

        The caller's thread splits the image.
        """
        self.shared[:] = 0
        self.image.start(self.words)
        caller, *others = own
        return [
            caller.start(self.words, depth=-1, is_caller=True),
            *(workspace.start(self.words) for workspace in others),
        ]


@cache
def kernels_of(dtype: np.dtype[Any], meaning: Meaning) -> list[Key]:
    """The kernels that most pictures in a dtype need."""
    name = DTYPE_NAMES[dtype]
    passes = [(of, "float64", Meaning.FLOAT) for of in ("assemble", "fold", "balance")]
    return [("tame", name, meaning), *passes, ("bounds", name, meaning)]


def load(plan: Plan) -> None:
    """Load the kernels of a plan, compiled on the machine's first run."""
    _kernel(plan, is_tame=plan.program.is_tame)


def _kernel(plan: Plan, *, is_tame: bool) -> native.Kernel:
    kind = "tame" if is_tame else "careful"
    return native.kernel(kind, DTYPE_NAMES[plan.dtype], plan.program.meaning)


class Frame(Protocol):
    """What threads draw: their shared words, the pixels, and who takes back a workspace."""

    shared: NDArray[np.int64]
    pixels: NDArray[Any]

    def leave(self, workspace: Any) -> None:
        """Take back a workspace that a thread has left."""


def run(
    frame: Frame,
    walk: native.Kernel,
    own: Sequence[Any],
    progress: Callable[[int, int], None] | None,
    *,
    to_the_end: bool,
) -> None:
    """Walk until no task is left, with one thread per workspace, the caller's included.

    The others are woken before the image is split, since that takes as long. ``to_the_end`` waits
    for them to return, not only for the end of their tasks.

    An exception, such as an interrupt or one of ``progress``, does not wait for the others: they
    stop soon, and own their memory until then.
    """
    shared, total = frame.shared, frame.pixels.size

    def turn(workspace: Any) -> int:
        unfinished = walk(workspace.address)
        if not frame.shared[c.READY]:
            _let_others_run()
        return unfinished

    caller, *others = own
    work = Work(turn, others, frame.leave)
    with work.under_way:
        threads = thread_pool.current().call(work, len(others)) if others else []
        while walk(caller.address):
            if progress is not None:
                tasks = int(shared[c.READY]) - 1
                progress(min(int(shared[c.NEXT_TASK]), tasks) * total // (tasks + 1), total)
        # what has not begun by now, for want of a processor, has nothing left to do
        begun = work.close()
        if to_the_end or not caller.context[c.ALL_FINISHED]:
            work.wait(begun, threads)


_let_others_run: Callable[[], None] = getattr(os, "sched_yield", partial(time.sleep, 0))
