"""Pictures as bytes for a page.

bits   a bitmap: rows padded to whole bytes, most significant bit first, 1 inside
bits2  proven pixels: the bits of those proven inside, then those of unproven ones
jpeg   colours, while moving
png    colours, lossless

Tiles of a picture are int32[n, n], little-endian, the top row first, for n = 2**level: clauses left
or a verdict. Then come the levels at which they were decided, uint8[n, n].
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np

from intervalvm.jit.layout import INSIDE, OUTSIDE, UNPROVEN
from intervalvm.raster.image import Image
from intervalvm.raster.picture import Picture
from intervalvm.viewer.request import Show, View

TILE_OUTSIDE, TILE_INSIDE, TILE_EMPTY = -1, -2, -3
"""Of a tile proven outside, one proven inside, and one without a pixel."""
Encoded = tuple[str, bytes]
"""A format and the picture."""


def encoded(picture: Picture, *, lossless: bool) -> Encoded:
    """The colours of a picture."""
    format, stream = "png" if lossless else "jpeg", io.BytesIO()
    picture.write(stream, format)
    return format, stream.getvalue()


def encoded_tiles(image: Image) -> tuple[int, bytes]:
    """The level of the smallest tiles of a picture, and the bytes of what was found out of each."""
    verdicts, tiles = image.map("verdict"), image.map("clauses")
    tiles = np.where(verdicts == OUTSIDE, TILE_OUTSIDE, tiles)
    tiles = np.where(verdicts == INSIDE, TILE_INSIDE, tiles)
    tiles = np.where(verdicts < 0, TILE_EMPTY, tiles)
    levels = image.map("level").astype(np.uint8)
    return len(tiles).bit_length() - 1, tiles.astype("<i4").tobytes() + levels.tobytes()


def _bitmap(image: Image, view: View) -> Encoded:
    """Bits, or the colours of a painted shape."""
    if image.colours is not None:
        return encoded(image, lossless=not view.moving)
    return "bits", np.packbits(image.pixels, axis=1).tobytes()


def _proven(image: Image, _: View) -> Encoded:
    planes = np.stack([image.pixels == INSIDE, image.pixels == UNPROVEN])
    return "bits2", np.packbits(planes, axis=2).tobytes()


def _values(image: Image, view: View) -> Encoded:
    """Colours, with lines where the value is a multiple of what the page says."""
    coloured = image.coloured(isolines=view.isolines)
    return encoded(coloured, lossless=not view.moving)


ENCODERS: dict[Show, Callable[[Image, View], Encoded]] = {
    "bitmap": _bitmap,
    "value": _values,
    "proven": _proven,
}
"""By kind of picture of a plane."""
