"""Facts about the plane from an image with ``prove="area"``: bounds of an area, boxes.

*Cells* are the closed areas of pixels, which cover the region. Ends are float64, exact for either
dtype; areas are summed as integers and rounded once, outwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.cells.measure import rounded_down, rounded_up
from intervalvm.jit.layout import INSIDE, OUTSIDE, UNPROVEN
from intervalvm.raster.region import Region

if TYPE_CHECKING:
    from collections.abc import Iterator

    from intervalvm.raster.image import Image

VERDICTS = {"inside": INSIDE, "outside": OUTSIDE, "unproven": UNPROVEN}
NAMES = {int(pixel): name for name, pixel in VERDICTS.items()}
MIXED = np.uint8(1)
"""A tile of different verdicts."""
BAND_PX = 1 << 16
"""Tiles of a band of rows, so that temporaries are smaller than the image."""
BAND_BYTES, EDGE_BYTES = 100, 256
"""What each of these takes at most, where all are listed, and what each column and row takes."""
Ends = tuple[float, float]


class ProvenBox(NamedTuple):
    """A closed box of one verdict: "inside", "outside" or "unproven".

    ``pixels`` are its columns and rows of pixels.
    """

    verdict: str
    x: Ends
    y: Ends
    pixels: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Cells:
    """``pixels`` uint8[h, w] of the cells between ``x`` float64[w + 1], ascending, and ``y``
    float64[h + 1], descending."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    pixels: NDArray[np.uint8]

    @classmethod
    def of(cls, image: Image) -> Cells:
        """The cells of an image. Raises OptionError unless it has ``prove="area"``."""
        x, y = image.edges()
        return cls(x.astype(np.float64), y.astype(np.float64), image.pixels)

    @property
    def region(self) -> Region:
        """The union of the cells: the image's region, its ends rounded outwards to the dtype."""
        return Region((self.x[0], self.x[-1]), (self.y[-1], self.y[0]))

    def counts(self) -> dict[str, int]:
        """The number of cells of each verdict."""
        found = dict.fromkeys(VERDICTS, 0)
        for _, band in banded(self.pixels):
            for name, pixel in VERDICTS.items():
                found[name] += int(np.count_nonzero(band == pixel))
        return found

    def area(self) -> tuple[float, float]:
        """Bounds on the area inside: that proven inside, and that not proven outside."""
        least, most = self._area(np.equal, INSIDE), self._area(np.not_equal, OUTSIDE)
        return rounded_down(least), rounded_up(most)

    def _area(self, compare: np.ufunc, pixel: np.uint8) -> Fraction:
        """The exact area of the cells for which ``compare(cell, pixel)`` is true."""
        x, x_scale = _integers(self.x)
        y, y_scale = _integers(self.y)
        total = 0
        for top, band in banded(self.pixels):
            mask = np.zeros((len(band), band.shape[1] + 2), bool)
            compare(band, pixel, out=mask[:, 1:-1])
            # ends of runs of cells, whose difference is the width
            rows, columns = np.nonzero(mask[:, 1:] != mask[:, :-1])
            ends = mask[rows, columns].tolist()
            widths = [0] * len(band)
            for row, column, is_end in zip(rows.tolist(), columns.tolist(), ends, strict=True):
                widths[row] += x[column] if is_end else -x[column]
            total += sum(width * (y[row] - y[row + 1]) for row, width in enumerate(widths, top))
        return Fraction(total, x_scale * y_scale)

    def bounds(self) -> tuple[Ends, Ends] | None:
        """The bounding box of the cells not proven outside, or None."""
        across, down = np.zeros(self.pixels.shape[1], bool), np.zeros(len(self.pixels), bool)
        for top, band in banded(self.pixels):
            mask = band != OUTSIDE
            across |= mask.any(axis=0)
            down[top : top + len(band)] = mask.any(axis=1)
        columns, rows = np.flatnonzero(across), np.flatnonzero(down)
        if not len(columns):
            return None
        return (
            (float(self.x[columns[0]]), float(self.x[columns[-1] + 1])),
            (float(self.y[rows[-1] + 1]), float(self.y[rows[0]])),
        )

    def boxes(self) -> Iterator[ProvenBox]:
        """The largest tiles of a quadtree with one verdict each, large ones first.

        They cover all cells, and their interiors are disjoint.
        """
        levels = [self.pixels]
        while max(levels[-1].shape) > 1:
            levels.append(_joined(levels[-1]))
        above = np.full((1, 1), MIXED)
        while levels:
            tiles = levels.pop()
            yield from self._level(tiles, above, side=1 << len(levels))
            above = tiles

    def _level(
        self, tiles: NDArray[np.uint8], above: NDArray[np.uint8], side: int
    ) -> Iterator[ProvenBox]:
        """The tiles of one verdict whose parents in ``above`` are mixed."""
        height, width = self.pixels.shape
        x, y = self.x.tolist(), self.y.tolist()
        for top, band in banded(tiles):
            parents = above[(top + np.arange(len(band))) // 2][:, np.arange(band.shape[1]) // 2]
            rows, columns = np.nonzero((band != MIXED) & (parents == MIXED))
            found = band[rows, columns].tolist()
            for row, column, pixel in zip(
                ((rows + top) * side).tolist(), (columns * side).tolist(), found, strict=True
            ):
                right, bottom = min(column + side, width), min(row + side, height)
                yield ProvenBox(
                    NAMES[pixel],
                    (x[column], x[right]),
                    (y[bottom], y[row]),
                    (right - column, bottom - row),
                )


def bytes_beside(width: int, height: int, *, lists: bool) -> int:
    """The peak memory of ``Cells`` without the image; with ``lists``, also of its boxes."""
    band = BAND_BYTES * max(width, min(BAND_PX, width * height))
    return band + EDGE_BYTES * (width + height) + (width * height // 2 if lists else 0)


def banded(tiles: NDArray[np.uint8]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Bands of whole rows, each with the number of its first row."""
    rows = max(1, BAND_PX // tiles.shape[1])
    for top in range(0, len(tiles), rows):
        yield top, tiles[top : top + rows]


def _joined(tiles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Tiles twice as large, with the common verdict of their parts, or MIXED."""
    first = tiles[::2, ::2]
    same = np.ones(first.shape, bool)
    for part in (tiles[1::2, ::2], tiles[::2, 1::2], tiles[1::2, 1::2]):
        rows, columns = part.shape  # one less than of the first parts where the edge cuts it off
        same[:rows, :columns] &= part == first[:rows, :columns]
    return np.where(same, first, MIXED)


def _integers(values: NDArray[np.float64]) -> tuple[list[int], int]:
    """The numbers scaled to integers by a power of 2, and that power."""
    scale = max(value.as_integer_ratio()[1] for value in values.tolist())
    ratios = (value.as_integer_ratio() for value in values.tolist())
    return [above * (scale // below) for above, below in ratios], scale
