"""From leaves of a quadtree to curves: crossings of sides, paired in each leaf, chained.

Curves are simple and do not cross, by construction:

- A *minimal side* lies between two neighbouring corners on a line of the lattice, of whichever
  leaves. A corner is inside or outside for all leaves: a minimal side has one crossing or none.
- Around a leaf, inside and outside alternate, so crossings are even in number, and are paired so
  that their chords do not cross. A leaf is convex and its chords lie in it: chords of different
  leaves meet in crossings alone. Where a leaf has one pair, the chord may as well go by any point
  within the leaf, or by several, if all its parts go along with the direction between its ends.
- A crossing ends the piece of one leaf and starts that of its neighbour. So pieces form closed
  curves, or curves that end at the frame's border.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.jit.outlines import layout as c
from intervalvm.jit.outlines.chains import MOST
from intervalvm.outlines.field import Array
from intervalvm.outlines.lattice import Indices, Lattice
from intervalvm.outlines.quadtree import Leaves, Quadtree


class Loops(NamedTuple):
    """Vertices of all curves, one curve after the other; curve k is from ``starts[k]`` to
    ``starts[k + 1]``. A closed one ends where it starts, at its sharpest corner.

    ``vertices`` float64[n, VERTEX] have the fields of ``jit.outlines.layout``.
    """

    vertices: Array
    starts: Indices
    is_closed: NDArray[np.uint8]


class Rounds(NamedTuple):
    """The crossings around leaves, see ``jit.outlines.layout``."""

    firsts: Indices
    round_sides: Indices
    faces: NDArray[np.uint8]
    ends: NDArray[np.uint8]


def loops(tree: Quadtree) -> Loops:
    """The curves through leaves. Their start is arbitrary."""
    leaves, lattice = tree.leaves, tree.lattice
    rounds, met = _rounds(leaves, lattice)
    if _are_loose(met, lattice):
        # rounding has made a curve on the border of what is decided
        leaves = Leaves.joined([tree.decided, leaves])
        leaves = leaves.taken(np.argsort(leaves.level, kind="stable"))
        leaves.corners[:] = lattice.corners(leaves.at, leaves.level, leaves.parts)
        rounds, met = _rounds(leaves, lattice)
    pieces = {**_pairs(leaves, rounds, lattice), "way": leaves.way, "ways": tree.ways}
    return _chained(pieces, met, lattice)


def _rounds(leaves: Leaves, lattice: Lattice) -> tuple[Rounds, NDArray[np.uint8]]:
    """The crossings around each leaf, and how many leaves each side is met by."""
    room = 4 * len(lattice.at)  # a corner is the lower one of two sides at most, of two leaves each
    found = Rounds(
        np.empty(len(leaves.level) + 1, np.int32),
        np.empty(room, np.int32),
        np.empty(room, np.uint8),
        np.empty(room, np.uint8),
    )
    given: dict[str, NDArray[Any]] = {"levels": leaves.level, "corners": leaves.corners}
    given["parts"] = leaves.parts
    count, met = lattice.rounds(given, found._asdict())
    sides, faces, ends = found.round_sides[:count], found.faces[:count], found.ends[:count]
    return Rounds(found.firsts, sides, faces, ends), met


def _are_loose(met: NDArray[np.uint8], lattice: Lattice) -> bool:
    """Whether a crossing within the frame is on the border of one leaf alone."""
    single = lattice.sides[met == 1]
    line = lattice.at[single[:, c.LOWER], 1 - single[:, c.AXIS]]
    return not ((line == 0) | (line == 1 << lattice.finest)).all()


def _pairs(leaves: Leaves, rounds: Rounds, lattice: Lattice) -> dict[str, NDArray[Any]]:
    """The pieces in each leaf, by the sides where they begin, and points of their dents."""
    many, count = len(leaves.level), len(lattice.sides)
    middles = np.zeros(many, np.uint8)
    crowded = np.flatnonzero(np.diff(rounds.firsts) > 2)
    if len(crowded):
        at, level = 2 * leaves.at[crowded] + 1, leaves.level[crowded] + 1
        x, y = (lattice.frame.coordinates(axis, at[:, axis], level) for axis in (0, 1))
        middles[crowded] = lattice.field.values(x, y, leaves.parts[crowded]) < 0
    found: dict[str, NDArray[Any]] = {
        "pieces": np.empty((count, c.PIECE), np.int32),
        "dent_points": np.empty(2 * len(rounds.round_sides)),
    }
    given = {**rounds._asdict(), "middles": middles, "corners": leaves.corners}
    lattice.run(c.PAIRS, {c.CELLS: many}, {**given, **found})
    return found


def _chained(pieces: dict[str, NDArray[Any]], met: NDArray[np.uint8], lattice: Lattice) -> Loops:
    """The vertices in the order of curves. Open curves come first, from their starts."""
    order = np.empty(len(met), np.int32)
    starts, closed = np.empty(len(met) + 1, np.int32), np.empty(len(met), np.uint8)
    arrays: dict[str, Any] = {**pieces, "met": np.ascontiguousarray(met)}
    arrays |= {"order": order, "starts": starts, "is_closed": closed}
    sizes = lattice.run(c.CHAIN, {}, arrays)
    curves, room = int(sizes[c.CURVES]), MOST * int(sizes[c.COUNT]) + int(sizes[c.CURVES])
    arrays |= {
        "loop": np.empty((room, c.VERTEX)),
        "vertices": np.empty((room, c.VERTEX)),
    }
    sizes = lattice.run(c.VERTICES, {c.CURVES: curves}, arrays)
    count = int(sizes[c.COUNT])
    return Loops(arrays["vertices"][:count], starts[: curves + 1], closed[:curves])
