"""The cells of a quadtree to start from: all of a level, or those that a walk leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.cells.frame import Frame
from intervalvm.cells.morton import morton
from intervalvm.jit.layout import INSIDE, OUTSIDE, UNPROVEN
from intervalvm.raster.job import split_levels
from intervalvm.tape import Tape
from intervalvm.words import Meaning, Question

LEAF_LEVELS = 4
"""Levels that a walk has in its leaves, which are 16 cells wide."""
PART_LEVEL = 7
"""Parts of the plane, with programs of their own, are cells of this level, or of the one above that
to start from. Measured on prospero.vm: a level less or more takes a tenth to a half longer."""
Numbers = NDArray[np.int64]


class Division(NamedTuple):
    """Parts of the plane: cells with numbers ``at`` int64[n, 2] of a level, and their Morton codes,
    which are in order."""

    level: int
    at: Numbers
    codes: NDArray[np.uint64]


class Start(NamedTuple):
    """The cells (i, j) of a level that are not decided, and how many are proven inside.

    They are in ``parts`` of the plane, whose numbers are those in ``division``; without one all are
    in one part.
    ``signs`` uint8[m, m], in rows of cells of the level and one more around, tells which are proven
    inside (1) or outside (2); those beyond are as the next ones.
    """

    level: int
    i: Numbers
    j: Numbers
    parts: NDArray[np.int32]
    division: Division | None = None
    inside: int = 0
    signs: NDArray[np.uint8] | None = None


def all_cells(level: int) -> Start:
    """All cells of a level, in Morton order."""
    j, i = np.divmod(np.arange(1 << 2 * level), 1 << level)
    order = np.argsort(morton([i, j]))
    return Start(level, i[order], j[order], np.zeros(len(i), np.int32))


def undecided_cells(
    tape: Tape,
    settings: Mapping[str, float],
    frame: Frame,
    level: int,
    threads: int,
) -> Start:
    """The cells of a level over which the compiled walk of pictures does not prove the sign."""
    from intervalvm.jit import walk
    from intervalvm.jit.plan import domain_of, plan_of

    many, dtype = 1 << level, np.dtype(np.float64)
    x, y = (frame.coordinates(axis, np.arange(many + 1), level) for axis in (0, 1))
    domain = domain_of((x[0], x[-1], y[0], y[-1]), dtype)
    plan = plan_of(tape, Question.SIGN, Meaning.REAL, dtype, dict(settings), domain)
    pixels = np.zeros((many, many), np.uint8)
    down = np.ascontiguousarray(y[::-1])  # rows of pictures go down
    steps = split_levels(level - LEAF_LEVELS)
    walk.render(plan, (x[:-1], down[1:]), (x[1:], down[:-1]), pixels, steps, threads=threads)
    verdicts = pixels[::-1]
    at = np.flatnonzero(verdicts.ravel() == UNPROVEN)
    j, i = np.divmod(at, many)
    codes = morton([i, j])
    order = np.argsort(codes)
    i, j, codes = i[order], j[order], codes[order]
    above = max(level - PART_LEVEL, 1)
    codes >>= np.uint64(2 * above)
    is_first = np.append(True, codes[1:] != codes[:-1])[: len(codes)]
    coarse = np.stack([i[is_first], j[is_first]], axis=-1) >> above
    division = Division(level - above, coarse, codes[is_first])
    parts = np.cumsum(is_first, dtype=np.int32) - np.int32(1)

    signs = np.pad((verdicts == INSIDE) + np.uint8(2) * (verdicts == OUTSIDE), 1, mode="edge")
    inside = int(np.count_nonzero(verdicts == INSIDE))
    return Start(level, i, j, parts, division, inside, signs)
