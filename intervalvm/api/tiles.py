"""``tiles``: a picture of any size, one tile after another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from intervalvm.api.options import Options
from intervalvm.api.renderer import Renderer
from intervalvm.environment import in_default_environment
from intervalvm.expr import TapeLike
from intervalvm.hints import Takes
from intervalvm.raster.image import Image
from intervalvm.raster.region import Crop, check_size

OWN = ("size", "crop", "out", "progress")
"""Options of ``render`` that tiles choose themselves."""


takes_tile_options: Takes[...] = Takes(Options, without=OWN)


class Tiles:
    """The tiles of a picture, in rows from the top, each drawn when it is asked for.

    ``len`` counts them, ``tiles[i]`` draws one, and a loop draws all, as often as there is one.
    """

    def __init__(self, renderer: Renderer, size: tuple[int, int], tile: tuple[int, int]) -> None:
        self._renderer, self._size, self._tile = renderer, size, tile
        self._columns, self._rows = (-(-s // t) for s, t in zip(size, tile, strict=True))

    def __len__(self) -> int:
        return self._columns * self._rows

    def __getitem__(self, i: int) -> Image:
        if not -len(self) <= i < len(self):
            raise IndexError(f"there are {len(self)} tiles, and none is number {i}")
        return self._draw(*divmod(i % len(self), self._columns))

    def __iter__(self) -> Iterator[Image]:
        for row, column in product(range(self._rows), range(self._columns)):
            yield self._draw(row, column)

    def _draw(self, row: int, column: int) -> Image:
        (width, height), (wide, high) = self._size, self._tile
        left, top = column * wide, row * high
        crop: Crop = left, top, min(left + wide, width), min(top + high, height)
        return self._renderer.render(crop=crop)


@in_default_environment
@takes_tile_options
def tiles(
    shape: TapeLike, *, size: int | tuple[int, int], tile: int | tuple[int, int] = 1024,
    **options: Any,
) -> Tiles:  # fmt: skip
    """The tiles of a picture, to draw one after another: no more than one is in memory.

    Together they are bit for bit ``render(shape, size=size, …)``. Each is drawn when the loop comes
    to it, and its ``crop`` says where it lies::

        for image in tqdm(intervalvm.tiles(shape, size=100_000)):
            left, top, right, bottom = image.crop

    Parameters
    ----------
    shape : Tape, Expr or Shape
    size : int or (int, int)
        Pixels a side of the whole picture, or (width, height).
    tile : int or (int, int)
        The same of a tile; those in the last column and row may be smaller.
    region, grid, z, variables, mode, dtype, prove, antialias
        As for ``render``.
    engine, backend, threads, depth, max_memory, fold
        As for ``render``.
    ink, paper
        As for ``render``.

    Returns
    -------
    Tiles
        What a loop goes through. It has a length, so that tools know how many come, and
        ``tiles[i]``.

    Raises
    ------
    OptionError, ArgumentTypeError
        For an invalid argument.
    IntervalvmError
        With a tile, as ``render`` does.
    """
    whole, each = check_size(size), check_size(tile, "tile")
    return Tiles(Renderer(shape, size=whole, **options), whole, each)
