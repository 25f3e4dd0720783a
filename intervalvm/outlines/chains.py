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
from intervalvm.outlines.quadtree import DECIDED, Leaves

Flags = NDArray[np.bool_]
DEPTH = 2.0**-6
"""How far a piece between two crossings of one side goes into its leaf, in its lengths."""


class Loops(NamedTuple):
    """Vertices of all curves, one curve after the other; curve k is from ``starts[k]`` to
    ``starts[k + 1]``. A closed one ends where it starts, at its sharpest corner.

    ``vertices`` float64[n, VERTEX] have the fields of ``jit.outlines.layout``.
    """

    vertices: Array
    starts: Indices
    is_closed: Flags


class Rounds(NamedTuple):
    """The crossings around leaves, see ``jit.outlines.layout``."""

    firsts: Indices
    round_sides: Indices
    faces: NDArray[np.uint8]
    ends: NDArray[np.uint8]


class Pieces(NamedTuple):
    """Of each side: the next one (-1 at the end), the leaf between, and whether it is alone there.

    ``dents`` are the rounds where pieces begin that end on the same side of their leaf, and
    ``dent_of`` their numbers + 1.
    """

    follower: Indices
    owner: Indices
    alone: NDArray[np.uint8]
    dent_of: Indices
    dents: Indices


def loops(leaves: Leaves, lattice: Lattice) -> Loops:
    """The curves through leaves. Their start is arbitrary."""
    some = leaves.taken(np.flatnonzero(leaves.kind != DECIDED))
    rounds, met = _rounds(some, lattice)
    if _are_loose(met, lattice):
        # rounding has made a curve on the border of what is decided
        corners = lattice.corners(leaves.at, leaves.level, leaves.parts)
        some = leaves._replace(corners=corners)
        rounds, met = _rounds(some, lattice)
    pieces = _pairs(some, rounds, lattice)
    dents = [_dent(some, rounds, here, pieces, lattice) for here in pieces.dents.tolist()]
    return _chained(some, pieces, np.array(dents), met, lattice)


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


def _pairs(leaves: Leaves, rounds: Rounds, lattice: Lattice) -> Pieces:
    """The pieces in each leaf."""
    many, count = len(leaves.level), len(lattice.sides)
    middles = np.zeros(many, np.uint8)
    crowded = np.flatnonzero(np.diff(rounds.firsts) > 2)
    if len(crowded):
        at, level = 2 * leaves.at[crowded] + 1, leaves.level[crowded] + 1
        x, y = (lattice.frame.coordinates(axis, at[:, axis], level) for axis in (0, 1))
        middles[crowded] = lattice.field.values(x, y, leaves.parts[crowded]) < 0
    found = Pieces(
        np.full(count, -1, np.int32),
        np.zeros(count, np.int32),
        np.zeros(count, np.uint8),
        np.zeros(count, np.int32),
        np.empty(len(rounds.round_sides), np.int32),
    )
    sizes = lattice.run(
        c.PAIRS, {c.CELLS: many}, {**rounds._asdict(), "middles": middles, **found._asdict()}
    )
    return found._replace(dents=found.dents[: sizes[c.DENTS]])


def _dent(leaves: Leaves, rounds: Rounds, here: int, pieces: Pieces, lattice: Lattice) -> Array:
    """A point by which a piece between two crossings of one side goes into the leaf.

    It is nearer to the middle of the crossings than any other chord, which has both on one side,
    and nearer than a quarter of their distance from the leaf's corners: so pieces do not meet.
    """
    first, points = rounds.round_sides[here], lattice.points
    leaf, face = int(pieces.owner[first]), int(rounds.faces[here])
    around = slice(*rounds.firsts[leaf : leaf + 2])
    rivals = rounds.round_sides[around][rounds.ends[around] != 0]
    rivals = rivals[rivals != first]
    start, end = points[:, first], points[:, pieces.follower[first]]
    axis = face & 1
    middle = (start + end) * 0.5
    low, high = lattice.place(leaves.corners[leaf, [0, 2]])[axis]
    nearest = min(
        *(np.array([start[axis], end[axis]]) - low), *(high - np.array([start[axis], end[axis]]))
    )
    reach = min(abs(end[axis] - start[axis]) * DEPTH, nearest * 0.25)
    if len(rivals):
        a, b = points[:, rivals], points[:, pieces.follower[rivals]]
        along = b - a
        with np.errstate(all="ignore"):
            share = ((middle[:, None] - a) * along).sum(axis=0) / (along * along).sum(axis=0)
        foot = a + np.clip(np.nan_to_num(share), 0.0, 1.0) * along
        away = np.sqrt(((foot - middle[:, None]) ** 2).sum(axis=0)).min()
        reach = min(reach, float(away) * 0.5)
    found: Array = middle.copy()
    found[1 - axis] += reach if face in (0, 3) else -reach
    return found


def _chained(
    leaves: Leaves, pieces: Pieces, dents: Array, met: NDArray[np.uint8], lattice: Lattice
) -> Loops:
    """The vertices in the order of curves. Open curves come first, from their starts."""
    order = np.empty(len(met), np.int32)
    starts, closed = np.empty(len(met) + 1, np.int32), np.empty(len(met), np.uint8)
    arrays: dict[str, Any] = {**pieces._asdict(), "met": np.ascontiguousarray(met)}
    arrays |= {"order": order, "starts": starts, "is_closed": closed}
    sizes = lattice.run(c.CHAIN, {}, arrays)
    curves, room = int(sizes[c.CURVES]), MOST * int(sizes[c.COUNT]) + int(sizes[c.CURVES])
    arrays |= {
        "ways": np.ascontiguousarray(leaves.points),
        "dent_points": dents.ravel(),
        "loop": np.empty((room, c.VERTEX)),
        "vertices": np.empty((room, c.VERTEX)),
    }
    sizes = lattice.run(c.VERTICES, {c.CELLS: len(leaves.level), c.CURVES: curves}, arrays)
    count = int(sizes[c.COUNT])
    return Loops(arrays["vertices"][:count], starts[: curves + 1], closed[:curves] != 0)
