"""The file formats of pictures: suffixes, limits and writers. Pillow is imported on first use."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from intervalvm.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage

    from intervalvm.raster.image import Image
    from intervalvm.raster.picture import Picture

WEBP_MOST = 16383
"""Pixels a side: the format stores the size in 14 bits."""
JPEG_MOST = 65500
"""Pixels a side, a limit of the library that Pillow writes it with."""
SIDE_MOST = {"webp": WEBP_MOST, "jpg": JPEG_MOST, "jpeg": JPEG_MOST}
PILLOW_MOST = (1 << 29) - 2
"""Pixels a row, a limit of Pillow, which writes all formats but one."""
OPAQUE = ("jpg", "jpeg", "ppm")
"""Formats of colours without alpha."""


class Indexed(NamedTuple):
    """A picture of at most 256 colours."""

    numbers: NDArray[np.uint8]
    """[height, width]: of colours."""
    table: NDArray[np.uint8]
    """[256, 3], or 4 with alpha."""
    is_bitmap: bool
    """Whether no number is there but 0 and 255."""


def levels(*, proven: bool, antialias: int) -> str | None:
    """Which pixels of an image have more values than inside and outside, and how many."""
    if antialias > 1:
        return "an anti-aliased image has up to 256"
    return "a proven image has three" if proven else None


def check_holds(
    format: str, width: int, height: int, *, levels: str | None = None, transparent: bool = False
) -> None:
    """Raise OptionError if a format cannot hold a picture.

    ``levels`` is as ``levels`` says.
    """
    if format == "pbm" and levels is not None:
        raise OptionError(f"a .pbm holds two values, and {levels}: choose .pgm or .png")
    if format in OPAQUE and transparent:
        raise OptionError(
            f"a .{format} has no transparency: give the paper or the background a colour, or "
            "choose .png or .webp"
        )
    most = SIDE_MOST.get(format)
    if most is not None and max(width, height) > most:
        raise OptionError(
            f"a .{format} holds at most {most} pixels a side, not {width}x{height}: choose .png"
        )
    if format != "npy" and width > PILLOW_MOST:
        raise OptionError(
            f"a .{format} is written with at most {PILLOW_MOST} pixels a row, not {width}: "
            "choose .npy"
        )


MOST_COPIED_PX = 1 << 26
"""Larger pictures are written without a copy as bits."""
GREYS = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
QUALITY: dict[str, Any] = {"quality": 92, "subsampling": 0}
"""Of JPEG: its errors are below what is seen, and thin lines keep their colours."""


def _save(picture: Picture, stream: Any, format: str, **options: Any) -> None:
    """Write the colours, or greys alone where there is nothing else."""
    from PIL import Image as Pillow

    found = picture._indexed()
    is_grey = format == "JPEG" and found is not None and np.array_equal(found.table, GREYS)
    shown = found.numbers if found is not None and is_grey else picture.shown
    Pillow.fromarray(shown).save(stream, format, **options)


def _save_png(picture: Picture, stream: Any) -> None:
    # run lengths suit areas of one colour, and are both quicker and smaller than the general
    # search: 1.7 ms for 1024x1024 bits instead of 7.6
    found = picture._indexed()
    if found is None:
        _save(picture, stream, "PNG", compress_level=1)
        return
    drawn, options = _of_few_colours(found)
    drawn.save(stream, "PNG", compress_level=1, compress_type=3, **options)


def _of_few_colours(found: Indexed) -> tuple[PillowImage, dict[str, Any]]:
    """Pillow's picture of the least bits a pixel, and options of writing it."""
    from PIL import Image as Pillow

    # one bit a pixel takes half the time of eight; Pillow's picture of bytes is the array itself
    in_bits = found.is_bitmap and found.numbers.size <= MOST_COPIED_PX
    if np.array_equal(found.table, GREYS):
        grey = Pillow.fromarray(found.numbers)
        return (grey.convert("1", dither=Pillow.Dither.NONE) if in_bits else grey), {}
    table = found.table[[0, 255]] if in_bits else found.table
    drawn = Pillow.fromarray(found.numbers >> 7 if in_bits else found.numbers)
    drawn.putpalette(table.tobytes(), "RGB" if table.shape[1] == 3 else "RGBA")
    return drawn, {"bits": 1} if in_bits else {}


TIFF_MOST = (1 << 32) - (1 << 16)
"""Bytes of pixels in a TIFF, whose offsets have 32 bits, less the headers."""
STRIP_BYTES = 1 << 20
"""About the bytes of a strip of a BigTIFF, whose size has 32 bits."""


def _save_tif(picture: Picture, stream: Any) -> None:
    _write_tif(picture.shown, stream)


def _write_tif(values: NDArray[Any], stream: Any) -> None:
    from PIL import Image as Pillow

    large: dict[str, Any] = {}
    if values.nbytes > TIFF_MOST:
        rows = max(1, STRIP_BYTES // values[0].nbytes)
        large = {"big_tiff": True, "tiffinfo": _in_strips(rows)}
    Pillow.fromarray(values).save(stream, "TIFF", **large)


def _in_strips(rows: int) -> Any:
    """Tags that make Pillow write strips of this many rows at 64-bit offsets."""
    from PIL.TiffImagePlugin import ROWSPERSTRIP, STRIPOFFSETS, ImageFileDirectory_v2
    from PIL.TiffTags import LONG8

    tags = ImageFileDirectory_v2()
    tags[ROWSPERSTRIP] = rows
    tags.tagtype[STRIPOFFSETS] = LONG8
    tags[STRIPOFFSETS] = 0  # Pillow finds where they are, and keeps the type
    return tags


COLOURS: dict[str, Callable[[Picture, Any], None]] = {
    "png": _save_png,
    "jpg": partial(_save, format="JPEG", **QUALITY),
    "jpeg": partial(_save, format="JPEG", **QUALITY),
    "webp": partial(_save, format="WEBP", lossless=True, exact=True),
    "tif": _save_tif,
    "tiff": _save_tif,
    "ppm": partial(_save, format="PPM"),
}
"""The suffixes that any picture can be saved under."""


def _save_values(image: Image, stream: Any) -> None:
    """Write a TIFF of the values, or of colours or greys."""
    found = image._indexed()
    if not image.is_bitmap:
        _write_tif(image.pixels.astype(np.float32, copy=False), stream)
    elif found is not None and np.array_equal(found.table, GREYS):
        _write_tif(found.numbers, stream)
    else:
        _save_tif(image, stream)


def _save_inside(image: Image, stream: Any, mode: str) -> None:
    """Write what is inside, whatever colours it has."""
    from PIL import Image as Pillow

    drawn = Pillow.fromarray(image.bitmap())
    if drawn.mode != mode:
        drawn = drawn.convert(mode, dither=Pillow.Dither.NONE)
    drawn.save(stream, "PPM")


def _save_npy(image: Image, stream: Any) -> None:
    np.save(stream, image.pixels, allow_pickle=False)


FORMATS: dict[str, Callable[[Any, Any], None]] = {
    **COLOURS,
    "tif": _save_values,
    "tiff": _save_values,
    "pgm": partial(_save_inside, mode="L"),
    "pbm": partial(_save_inside, mode="1"),
    "npy": _save_npy,
}
"""The suffixes that an image can be saved under."""
HOLD_VALUES = ("npy", "tif", "tiff")
"""The suffixes that hold values with ``mode="value"``; others hold the bitmap."""
