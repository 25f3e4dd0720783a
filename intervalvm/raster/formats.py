"""The file formats of images: suffixes, limits and writers. Pillow is imported on first use."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from intervalvm.errors import OptionError
from intervalvm.suffixes import pour

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from intervalvm.raster.image import Image

WEBP_MOST = 16383
"""Pixels a side: the format stores the size in 14 bits."""
PILLOW_MOST = (1 << 29) - 2
"""Pixels a row, a limit of Pillow, which writes all formats but one."""


def check_holds(format: str, width: int, height: int, *, proven: bool = False) -> None:
    """Raise OptionError if a format cannot hold an image of that size, proven or not."""
    if format == "pbm" and proven:
        raise OptionError(
            "a .pbm holds two values, and a proven image has three: choose .pgm or .png"
        )
    if format == "webp" and max(width, height) > WEBP_MOST:
        raise OptionError(
            f"a .webp holds at most {WEBP_MOST} pixels a side, not {width}x{height}: choose .png"
        )
    if format != "npy" and width > PILLOW_MOST:
        raise OptionError(
            f"a .{format} is written with at most {PILLOW_MOST} pixels a row, not {width}: "
            "choose .npy"
        )


def write(image: Image, stream: BinaryIO, format: str) -> None:
    """Write the bytes of a file to ``stream``, which need not be seekable."""
    check_holds(format, image.width, image.height, proven=image.prove is not None)
    pour(stream, partial(FORMATS[format], image))


MOST_COPIED_PX = 1 << 26
"""Larger images are written without a copy as bits."""


def _save(image: Image, stream: Any, format: str, mode: str = "L", **options: Any) -> None:
    """Write the bitmap in a format and a mode of Pillow; in "RGB" the colours, if there are any."""
    from PIL import Image as Pillow

    # Pillow's picture of bytes is the pixels themselves; one of another mode is a copy
    colours = image.colours if mode == "RGB" else None
    picture = Pillow.fromarray(image.bitmap() if colours is None else colours)
    if picture.mode != mode:
        picture = picture.convert(mode, dither=Pillow.Dither.NONE)
    picture.save(stream, format, **options)


def _save_png(image: Image, stream: Any) -> None:
    # One bit a pixel takes half the time of eight; run lengths suit areas of one colour, and are
    # both quicker and smaller than the general search: 1.7 ms for 1024x1024 instead of 7.6.
    in_bits = image.pixels.size <= MOST_COPIED_PX and image.prove is None
    mode = "RGB" if image.colours is not None else "1" if in_bits else "L"
    _save(image, stream, "PNG", mode, compress_level=1, compress_type=3)


TIFF_MOST = (1 << 32) - (1 << 16)
"""Bytes of pixels in a TIFF, whose offsets have 32 bits, less the headers."""
STRIP_BYTES = 1 << 20
"""About the bytes of a strip of a BigTIFF, whose size has 32 bits."""


def _save_tif(image: Image, stream: Any) -> None:
    values = image.pixels if image.is_bitmap else image.pixels.astype(np.float32, copy=False)
    if image.is_bitmap and image.colours is not None:
        values = image.colours
    _write_tif(values, stream)


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


def _save_npy(image: Image, stream: Any) -> None:
    np.save(stream, image.pixels, allow_pickle=False)


FORMATS: dict[str, Callable[[Image, Any], None]] = {
    "png": _save_png,
    "pgm": partial(_save, format="PPM"),
    "ppm": partial(_save, format="PPM", mode="RGB"),
    "pbm": partial(_save, format="PPM", mode="1"),
    "tif": _save_tif,
    "tiff": _save_tif,
    "webp": partial(_save, format="WEBP", mode="RGB", lossless=True),
    "npy": _save_npy,
}
"""The suffixes that an image can be saved under."""
HOLD_VALUES = ("npy", "tif", "tiff")
"""The suffixes that hold values with ``mode="value"``; others hold the bitmap."""


def _write_colours(pixels: NDArray[Any], stream: Any, format: str, **options: Any) -> None:
    from PIL import Image as Pillow

    Pillow.fromarray(pixels).save(stream, format, **options)


COLOURS: dict[str, Callable[[NDArray[Any], Any], None]] = {
    "png": partial(_write_colours, format="PNG", compress_level=1),
    "ppm": partial(_write_colours, format="PPM"),
    "tif": _write_tif,
    "tiff": _write_tif,
    "webp": partial(_write_colours, format="WEBP", lossless=True),
}
"""The suffixes that uint8[h, w, 3], red, green and blue, can be saved under."""
