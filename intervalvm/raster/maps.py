"""Maps of tiles: what the walk found out about each tile of the quadtree.

In: an array for each step of the walk, of all regions that the step looks at (see ``jit.layout``).
Out: arrays of the finest tiles, or of pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intervalvm.jit.layout import (
    INSIDE,
    OUTSIDE,
    TILE_INSIDE,
    TILE_OUTSIDE,
    TILE_UNSEEN,
    UNPROVEN,
    edge,
)

Map = NDArray[np.int32]
EMPTY = -1
"""In all maps: a tile without a pixel."""


def new_maps(steps: Sequence[int]) -> list[Map]:
    """An array for each step, of 2**level x 2**level regions that are not seen yet."""
    levels = np.cumsum(steps).tolist()
    return [np.full((1 << level, 1 << level), TILE_UNSEEN, np.int32) for level in levels]


@dataclass(frozen=True)
class Maps:
    """Maps of the finest tiles, int32[2**level, 2**level] each, rows from the top.

    Attributes
    ----------
    clauses
        The clauses left in a tile that is evaluated point by point; 0 in a proven one.
    verdict
        255 inside, 0 outside, 128 ambiguous.
    level
        The level of the quadtree at which it was decided, or that of the leaves.
    shape : (int, int)
        Height and width of the picture in pixels.
    """

    clauses: Map
    verdict: Map
    level: Map
    shape: tuple[int, int]

    @staticmethod
    def of(maps: Sequence[Map], steps: Sequence[int], shape: tuple[int, int]) -> Maps:
        """From the maps of all steps."""
        found, level = maps[0], np.full(maps[0].shape, steps[0], np.int32)
        for finer, bits, depth in zip(maps[1:], steps[1:], np.cumsum(steps)[1:], strict=True):
            seen = finer != TILE_UNSEEN
            found = np.where(seen, finer, _refined(found, bits))
            level = np.where(seen, np.int32(depth), _refined(level, bits))
        verdict = np.select(
            [found == TILE_INSIDE, found == TILE_OUTSIDE], [INSIDE, OUTSIDE], UNPROVEN
        ).astype(np.int32)
        rows, columns = (np.diff(_edges(len(found), pixels)) == 0 for pixels in shape)
        empty = rows[:, None] | columns
        clauses, verdict, level = (
            np.where(empty, np.int32(EMPTY), each) for each in (found.clip(0), verdict, level)
        )
        return Maps(clauses, verdict, level, shape)

    def of_pixels(self, tiles: Map) -> Map:
        """A map with an element for each pixel."""
        for axis, pixels in enumerate(self.shape):
            tiles = np.repeat(tiles, np.diff(_edges(len(self.clauses), pixels)), axis)
        return tiles


def _refined(tiles: Map, bits: int) -> Map:
    return tiles.repeat(1 << bits, 0).repeat(1 << bits, 1)


def _edges(tiles: int, pixels: int) -> NDArray[np.int64]:
    """The first pixel of each tile along an axis, and the end."""
    return np.asarray(edge(np.arange(tiles + 1), tiles.bit_length() - 1, pixels))
