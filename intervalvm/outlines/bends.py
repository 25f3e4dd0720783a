"""The piece of the curve in a cell that it crosses once: a chord, or more by way of points."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.jit.outlines import layout as c
from intervalvm.jit.outlines.bends import BEND, MOST
from intervalvm.outlines.field import Array, Owners
from intervalvm.outlines.lattice import Indices, Lattice

SHARE = 0.5
"""The part of the tolerance that pieces may deviate; merging of pieces has the rest."""


class Bends(NamedTuple):
    """Of m pieces: which are near the curve, which have a corner of it, and the points by which
    they go, float64[m, 3, 2]: one in the middle and one on either side of it, NaN for none."""

    is_near: NDArray[np.bool_]
    has_corner: NDArray[np.bool_]
    points: Array


def bends(
    lattice: Lattice,
    pairs: Indices,
    corners: Indices,
    owners: Owners,
    *,
    is_one: NDArray[np.bool_],
) -> Bends:
    """The pieces between the crossings of two sides of cells, ``pairs`` int32[m, 2], with the
    inside on their left; ``corners`` int32[m, 4] are those of the cells.

    A distance from the curve is measured: it is the value over the lesser gradient of the ends.
    Those of which ``is_one`` says that no other piece is in the cell may go by three points.
    """
    many = len(pairs)
    found = Bends(np.empty(many, bool), np.empty(many, bool), np.empty((many, 3, 2)))
    asked, asked_for = np.empty((2, MOST * many)), np.empty(MOST * many, np.int32)
    arrays: dict[str, NDArray[Any]] = {
        "pairs": pairs,
        "corners": corners,
        "is_one": is_one.view(np.uint8),
        "near": found.is_near.view(np.uint8),
        "cornered": found.has_corner.view(np.uint8),
        "ways": found.points,
        "may_be": np.array([SHARE * lattice.tolerance]),
        "bends": np.empty((many, BEND)),
        "stages": np.empty(many, np.uint8),
        "left": np.empty(many, np.int32),
        "asked": asked,
        "asked_for": asked_for,
    }
    sizes = lattice.run(c.START_BENDS, {c.CELLS: many}, arrays)
    while count := int(sizes[c.COUNT]):
        own = None if owners is None else owners[asked_for[:count]]
        arrays["found"] = lattice.field.gradients(asked[0, :count], asked[1, :count], own)
        given = {field: int(sizes[field]) for field in (c.CELLS, c.COUNT, c.PIECES)}
        sizes = lattice.run(c.STEP_BENDS, given, arrays)
    return found
