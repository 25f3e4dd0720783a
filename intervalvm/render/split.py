"""How the quadtree is cut, and what every walk over it counts."""

from __future__ import annotations

from dataclasses import dataclass

SPLIT_LEVELS = 3
"""A split takes up to three levels of the quadtree: 8 x 8 children."""


@dataclass
class Counts:
    """What one split of the walk did, over all regions it was made for."""

    regions: int = 0
    inside: int = 0
    outside: int = 0
    ambiguous: int = 0
    clauses: int = 0  # of the ambiguous ones' tapes, inputs and constants left out
    inside_px: int = 0  # in filled tiles and in leaves
    evaluated_px: int = 0
    unproven_px: int = 0  # of a proof, among those evaluated


def split_levels(depth: int) -> list[int]:
    """The levels that each split takes: three, but the first what is left over.

    The first has the fewest regions to look at, so lanes that stay empty there cost least.
    """
    first = depth % SPLIT_LEVELS
    head = [first] if first or not depth else []
    return head + [SPLIT_LEVELS] * (depth // SPLIT_LEVELS)
