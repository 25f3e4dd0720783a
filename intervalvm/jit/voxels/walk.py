"""The walk over voxels through compiled kernels, on as many threads as asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.compiler.program import INPUTS, RECORD_BYTES, VARIANT_MASK, VARIANTS, Program
from intervalvm.jit import layout as c
from intervalvm.jit import native
from intervalvm.jit.layout import LANES, slots_of
from intervalvm.jit.plan import Plan
from intervalvm.jit.voxels import layout as v
from intervalvm.jit.walk import BUDGET, run
from intervalvm.memory import address_of, aligned, require

Terms = Sequence[Sequence[NDArray[Any]]]
"""Of x, y, z and perhaps the divisor: the terms by column, by line from the top, and by layer from
the nearest."""
Size = tuple[int, int, int]
"""Columns, lines and layers."""
PATTERNS = v.patterns()


def draw(
    plan: Plan,
    size: Size,
    terms: Terms,
    moving: Sequence[bool],
    *,
    threads: int,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Frame, NDArray[np.int64]]:
    """A frame, whose pixels are depths, int32[lines, columns]; and the counts of each step.

    ``plan`` is one of a volume whose domain has all coordinates; ``moving`` says which of x, y and
    z depend on the layer. Depths do not depend on ``threads``.
    """
    splits = v.splits(size)
    idle: list[Workspace] = plan.attachments.setdefault("voxels", [])
    picture, *own = _take(idle, plan.program, threads + 1, len(splits))
    frame = Frame(plan, picture, size, terms, moving, splits, idle)
    counted = [workspace.stats[: len(splits)] for workspace in frame.start(own)]
    kind = "voxels_tame" if plan.program.is_tame else "voxels_careful"
    run(frame, native.kernel(kind, DTYPE_NAMES[plan.dtype]), own, progress, to_the_end=False)
    idle += [picture, own[0]]  # the other threads put back theirs, some of them a little later
    total: NDArray[np.int64] = sum(counted[1:], counted[0])
    return frame, total


def load(plan: Plan) -> None:
    """Load the kernel of a plan, compiled on the machine's first run."""
    native.kernel("voxels_tame" if plan.program.is_tame else "voxels_careful",
                  DTYPE_NAMES[plan.dtype])  # fmt: skip


def workspace_bytes(program: Program, steps: int) -> int:
    """The memory that each thread needs."""
    slots = slots_of(program.constants.dtype, program.meaning)
    masks = steps * 4 * np.dtype(np.uint64).itemsize
    return _places(program) * (slots.full + slots.truth + masks) + _arena_bytes(program) * steps


def _places(program: Program) -> int:
    return len(program) + INPUTS + LANES


def _arena_bytes(program: Program) -> int:
    return RECORD_BYTES * (len(program) + 1)


class Workspace:
    """A thread's memory for a program, in a walk of up to ``steps`` splits."""

    def __init__(self, program: Program, steps: int) -> None:
        self.steps = steps
        slots = slots_of(program.constants.dtype, program.meaning)
        places, arena = _places(program), _arena_bytes(program)
        self.full, self.truth = (aligned(places * each) for each in (slots.full, slots.truth))
        self.arena = aligned(arena * steps)
        self.choices = np.zeros((steps, 2 * places), np.uint64)
        self.live, self.rows_live = np.zeros((2, steps, places), np.uint64)
        # as long as the pool of constants too, so that what is no place may be looked up
        self.places = np.zeros(max(places, len(program.constants)) + 1, np.int32)
        self.places[:INPUTS] = range(INPUTS)
        self.stack = np.zeros(steps * v.ROW, np.int64)
        self.edges = np.zeros((v.AXES, v.EDGES), np.int64)
        self.leaves = np.zeros((v.BATCH, v.LEAF_WORDS), np.int64)
        self.context = context = np.zeros(v.FIELDS, np.int64)
        self.address = address_of(context)
        for field, array in {
            c.ARENA: self.arena, c.FULL: self.full, c.TRUTH: self.truth, c.PLACES: self.places,
            c.STACK: self.stack, v.CHILD_EDGES: self.edges, v.STEP_CHOICES: self.choices,
            v.STEP_LIVE: self.live, v.STEP_ROWS: self.rows_live, v.BATCH_LEAVES: self.leaves,
        }.items():  # fmt: skip
            context[field] = address_of(array)
        context[v.STEP_PLACES], context[v.PROGRAM_BYTES] = places, arena

    def start(self, frame: NDArray[np.int64], depth: int = 0, *, is_caller: bool = False) -> None:
        """Make the context ready for a frame."""
        context = self.context
        context[: c.FRAME_FIELDS] = frame[: c.FRAME_FIELDS]
        context[c.FIELDS : v.FRAME_END] = frame[c.FIELDS :]
        context[c.DEPTH], context[c.IS_CALLER], context[c.HAS_STARTED] = depth, is_caller, False
        context[c.ALL_FINISHED] = False
        self.stats = np.zeros((self.steps, v.COUNTS), np.int64)  # the last is its frame's to read
        context[c.STATS] = address_of(self.stats)


def _take(idle: list[Workspace], program: Program, count: int, steps: int) -> list[Workspace]:
    """Unused workspaces for ``count`` threads."""
    taken: list[Workspace] = []
    with suppress(IndexError):  # another thread may take the last one
        while len(taken) < count:
            found = idle.pop()
            if found.steps >= steps:
                taken.append(found)
    missing = count - len(taken)
    require(
        missing * workspace_bytes(program, steps),
        f"a walk with {count} threads over {len(program)} clauses",
        "use fewer threads",
    )
    return taken + [Workspace(program, steps) for _ in range(missing)]


class Frame:
    """The shared part of the kernels' contexts, and the memory it points to.

    A drawing thread refers to the frame, so the memory of a kernel outlives it.
    """

    def __init__(
        self,
        plan: Plan,
        picture: Workspace,
        size: Size,
        terms: Terms,
        moving: Sequence[bool],
        splits: NDArray[np.int64],
        idle: list[Workspace],
    ) -> None:
        self.plan, self.picture, self.idle, self.splits = plan, picture, idle, splits
        self.pixels = np.zeros((size[1], size[0]), np.int32)
        self.shared = np.zeros(c.SHARED_WORDS, np.int64)
        # up to a leaf is read beyond the end, and not used: voxels of the domain all the same
        self.terms = [[_padded(part, plan.dtype) for part in row] for row in terms]
        self.addresses = np.zeros((v.ROWS, v.AXES), np.int64)
        self.addresses[: len(terms)] = [list(map(address_of, row)) for row in self.terms]
        levels = splits[:, : v.AXES].sum(0).tolist()
        self.bounds = [_bounds(size[k], levels[k], [row[k] for row in self.terms])
                       for k in range(v.AXES)]  # fmt: skip
        self.bounds_at = np.zeros((v.ROWS, v.AXES, 2), np.int64)
        for axis, ends in enumerate(self.bounds):
            for row, pair in enumerate(ends):
                self.bounds_at[row, axis] = list(map(address_of, pair))
        # up to TILE leaves a side are read beyond the end, and not used
        self.least = np.zeros((((1 << levels[1]) + v.TILE) << levels[0]) + v.TILE, np.int32)
        mask = sum(1 << k for k, moves in enumerate(moving) if moves)
        self.words = words = np.zeros(v.FRAME_END, np.int64)
        words[: c.FRAME_FIELDS] = plan.frame
        words[[c.WIDTH_PX, c.HEIGHT_PX, v.LAYERS]] = size
        words[c.IMAGE], words[c.STEPS] = address_of(self.pixels), len(splits)
        words[c.BUDGET], words[c.SHARED] = BUDGET, address_of(self.shared)
        words[c.IMAGE_CONTEXT] = picture.address
        words[v.TERMS], words[v.SPLITS] = address_of(self.addresses), address_of(splits)
        words[v.BOUNDS], words[v.LEAST] = address_of(self.bounds_at), address_of(self.least)
        words[[v.LEAF_LEVELS, v.LEAF_LINE_LEVELS]] = levels[:2]
        words[v.PATTERNS], words[v.MOVING] = address_of(PATTERNS), mask
        words[v.IS_PERSPECTIVE] = len(terms) == v.ROWS
        words[v.IS_FLAT] = not mask & _read(plan.program)

    def leave(self, workspace: Workspace) -> None:
        """Return a workspace that a thread has left."""
        self.idle.insert(0, workspace)

    def start(self, own: Sequence[Workspace]) -> list[Workspace]:
        """Prepare all contexts; returns their workspaces. The caller splits the picture."""
        self.picture.start(self.words)
        caller, *others = own
        caller.start(self.words, depth=-1, is_caller=True)
        for workspace in others:
            workspace.start(self.words)
        return [self.picture, *own]


_cells = lru_cache(64)(v.cells_of)


def _bounds(count: int, levels: int, terms: list[NDArray[Any]]) -> NDArray[Any]:
    """[rows, 2, nodes]: the least and the greatest term of each node of an axis."""
    first, last = _cells(count, levels)
    ends = np.array([[row[first], row[last]] for row in terms])
    ends.sort(axis=1)
    return ends


def _padded(terms: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.concatenate([terms, terms[-1:].repeat(v.TILE)]).astype(dtype)


def _read(program: Program) -> int:
    """The mask of the inputs that a program reads."""
    kinds = np.array([[kind != "k" for kind in (each.kinds + "kkk")[:3]] for each in VARIANTS])
    places = program.records[:, 1:][kinds[program.records[:, 0] & VARIANT_MASK]]
    return sum(1 << place for place in range(v.AXES) if (places == place).any() or
               program.result == place)  # fmt: skip
