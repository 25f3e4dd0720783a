"""What a render gives: the pixels, where they lie, and how the work went.

In: an array from the walk. Out: an ``Image``, which a notebook shows, NumPy reads and ``save``
writes in the formats of ``FORMATS``.
"""

from __future__ import annotations

import io
import os
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from intervalvm.arguments import brief, path_name
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.files import write_atomically
from intervalvm.memory import address_of
from intervalvm.render.grid import coordinates

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from intervalvm.render.grid import Region
    from intervalvm.render.size import Crop

    Frame = tuple[Region, int, int, Crop | None]


INSIDE, OUTSIDE, UNPROVEN = np.uint8(255), np.uint8(0), np.uint8(128)
"""Pixels. The third is that of a proven image, where neither of the others could be proven."""

CACHE_LINE = 64
FRESH_BYTES = 32 << 20
"""From here on memory is taken from the system, in pages that it clears as they are touched."""


def canvas(shape: tuple[int, int], dtype: np.dtype[Any]) -> tuple[NDArray[Any], bool]:
    """Memory for an image of ``shape`` (height, width), and whether it is all 0.

    It starts on a cache line: tiles whose rows are whole lines share none with their neighbours,
    and no two threads write to one. A large image is clear, since what stays 0 then costs nothing;
    memory for a small one has been used before, so it would have to be cleared by one thread.
    """
    count = shape[0] * shape[1]
    is_clear = count * dtype.itemsize >= FRESH_BYTES
    spare = CACHE_LINE // dtype.itemsize
    memory = (np.zeros if is_clear else np.empty)(count + spare, dtype)
    start = -address_of(memory) % CACHE_LINE // dtype.itemsize
    return memory[start : start + count].reshape(shape), is_clear


@dataclass(frozen=True)
class Level:
    """One level of the walk: regions of ``tile`` (width, height) pixels and what became of them.

    ``mean_clauses`` is the mean length of the tapes that the ambiguous regions were left with.
    """

    tile: tuple[int, int]
    regions: int
    inside: int
    outside: int
    ambiguous: int
    mean_clauses: float


@dataclass(frozen=True)
class Stats:
    """How a render went. It prints as a table.

    ``seconds`` has at least compile and render, ``pixels`` has inside, evaluated (point by point)
    and total; ``levels`` is empty for the engines that walk no quadtree. Of a proven image ``over``
    is "point" or "area", and ``pixels`` has unproven too.
    """

    clauses: int
    size: tuple[int, int]
    depth: int
    engine: str
    backend: str
    dtype: str
    threads: int
    grid: str
    seconds: dict[str, float]
    pixels: dict[str, int]
    levels: tuple[Level, ...] = ()
    over: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The same as plain lists, dicts and numbers; rounding and over only of a proven image."""
        plain = asdict(self)
        if self.over is None:
            del plain["over"]
        else:
            plain["rounding"] = "outward"
        plain["size"] = list(self.size)
        plain["levels"] = [asdict(level) | {"tile": list(level.tile)} for level in self.levels]
        return plain

    def __str__(self) -> str:
        width, height = self.size
        share = {name: n / self.pixels["total"] for name, n in self.pixels.items()}
        lines = [
            f"{width}x{height} pixels, {self.clauses} clauses, depth {self.depth}, "
            f"grid {self.grid}, {self.dtype}",
            f"{self.engine} on {self.backend}, {_count(self.threads, 'thread')}",
            f"{self.pixels['inside']} pixels inside ({share['inside']:.1%}), "
            f"{self.pixels['evaluated']} evaluated ({share['evaluated']:.1%})",
        ]
        if self.over is not None:
            lines.append(
                f"proven over each pixel's {self.over}, but for "
                f"{self.pixels['unproven']} unproven ({share['unproven']:.1%})"
            )
        if self.levels:
            lines += ["", *_table(self.levels)]
        lines += ["", *(f"{name:<8}{milliseconds(s):>12}" for name, s in self.seconds.items())]
        return "\n".join(lines)


def _table(levels: tuple[Level, ...]) -> list[str]:
    rows: list[tuple[str, ...]] = [
        ("tile", "regions", "inside", "outside", "ambiguous", "mean clauses")
    ]
    for level in levels:
        counts = (level.regions, level.inside, level.outside, level.ambiguous)
        tile = f"{level.tile[0]}x{level.tile[1]}"
        rows.append((tile, *map(str, counts), f"{level.mean_clauses:.1f}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(t.rjust(w) for t, w in zip(row, widths, strict=True)) for row in rows]


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def milliseconds(seconds: float) -> str:
    """A time as a person reads it: ``1.23 ms``, ``45.6 ms``, ``789 ms``, ``12345 ms``."""
    ms = seconds * 1e3
    return f"{ms:.2f} ms" if ms < 9.995 else f"{ms:.1f} ms" if ms < 99.95 else f"{ms:.0f} ms"


@dataclass(frozen=True, eq=False)
class Image:
    """Pixels and where they come from.

    ``pixels`` is ``uint8[height, width]``, 255 inside and 0 outside (mode "bitmap"), or the values
    as floats of the same shape (mode "value"); the top row comes first. ``region`` is the rectangle
    that the pixels cover; ``crop`` says which pixels of a larger picture they are, (left, top,
    right, bottom). A proven image is a bitmap with a third value, 128 for unproven; ``over``
    then says what was asked of each pixel, "point" or "area". Where a GPU drew the pixels they stay
    there, as ``device_pixels``, until ``pixels`` is asked for.
    """

    _pixels: Any
    region: Region
    _stats: Stats | Callable[[], Stats]
    over: str | None = None
    _whole: Frame | None = None

    @cached_property
    def pixels(self) -> NDArray[Any]:
        """The pixels in this process's memory, copied from a GPU at most once."""
        found: NDArray[Any] = self._pixels if self.device_pixels is None else self._pixels.get()
        return found

    @property
    def device_pixels(self) -> Any:
        """The CuPy array that a GPU drew; None where no GPU did."""
        return None if isinstance(self._pixels, np.ndarray) else self._pixels

    @cached_property
    def stats(self) -> Stats:
        """How the work went: put together when it is asked for, which most frames are not."""
        return self._stats() if callable(self._stats) else self._stats

    @property
    def frame(self) -> Frame:
        """The region, the width, the height and the crop that the samples were taken from."""
        return self._whole or (self.region, self.width, self.height, None)

    @property
    def crop(self) -> Crop | None:
        """Which pixels of a larger picture these are; None for a whole one."""
        return self.frame[3]

    def samples(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """x of the columns and y of the rows, top first, in the dtype of the image's arithmetic."""
        return coordinates(*self.frame[:3], self.stats.grid, self.stats.dtype, self.crop)

    def __getstate__(self) -> dict[str, Any]:
        state = {"_pixels": self.pixels, "region": self.region, "_stats": self.stats}
        return state | {"over": self.over, "_whole": self._whole}

    @property
    def width(self) -> int:
        return int(self._pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self._pixels.shape[0])

    @property
    def mode(self) -> str:
        """ "bitmap" or "value"."""
        return "bitmap" if self._pixels.dtype == np.uint8 else "value"

    def __repr__(self) -> str:
        proven = "" if self.over is None else f" proven over each {self.over}"
        return f"<Image {self.width}x{self.height}, {self.mode}{proven}, {self.region}>"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.pixels, dtype=dtype, copy=copy)

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        self.write(stream, "png")
        return stream.getvalue()

    def bitmap(self) -> NDArray[np.uint8]:
        """255 where the value is below 0, else 0: ``pixels`` itself in mode "bitmap".

        So a proven image has its three values here too.
        """
        if self.mode == "bitmap":
            return self.pixels
        return np.where(self.pixels < 0, np.uint8(255), np.uint8(0))

    def save(self, path: str | os.PathLike[str], format: str | None = None) -> None:
        """Write the file, whole or not at all; the suffix says the format unless ``format`` does.

        Pictures show the bitmap, save that a ``.tif`` of mode "value" holds the values as float32.
        ``.npy`` holds ``pixels`` as they are. What is unproven is grey. Raises OptionError for a
        format that is not in ``FORMATS`` or cannot hold the size, or the grey, FileError where the
        file cannot be written.
        """
        chosen = format_of(path, format)
        write_atomically(path, lambda stream: self.write(stream, chosen))

    def write(self, stream: BinaryIO, format: str = "png") -> None:
        """Write the bytes of the file to a seekable ``stream`` of your own."""
        if not all(hasattr(stream, name) for name in ("write", "flush", "tell", "seek")):
            raise ArgumentTypeError(f"stream={brief(stream)}: give a file that is open for bytes")
        FORMATS[format_of("", format)](self, _Plain(stream))


def format_of(path: str | os.PathLike[str], format: str | None = None) -> str:
    """The key of ``FORMATS`` for a file name, or for a format that is named without it."""
    if format is not None and not isinstance(format, str):
        raise ArgumentTypeError(f"format={brief(format)}: give a suffix, as in 'png'")
    file = path_name(path)
    suffix = os.path.splitext(file)[1] if format is None else f".{format}"
    name = suffix.lower().removeprefix(".")
    if name not in FORMATS:
        what = f"the suffix {suffix!r}" if suffix else f"{file!r} without a suffix"
        raise OptionError(f"{what} names no format: choose {' '.join(f'.{f}' for f in FORMATS)}")
    return name


def check_shades(format: str, over: str | None) -> None:
    """Raise OptionError if a format of two values is to hold a proven image, which has three."""
    if format == "pbm" and over is not None:
        raise OptionError(
            "a .pbm holds two values, and a proven image has three: choose .pgm or .png"
        )


class _Plain:
    """A stream that can only be written to from Python.

    Pillow and NumPy write to a file's descriptor where they find one, and then report a full disk
    without saying so: the errors of ``write`` itself name their cause.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.write, self.flush = stream.write, stream.flush
        self.tell, self.seek = stream.tell, stream.seek


MOST_COPIED_PX = 1 << 26
"""Larger images are written as they are, for their copy would need as much memory again."""


def _picture(pixels: NDArray[Any]) -> Any:
    from PIL import Image as Pillow

    return Pillow.fromarray(pixels)


def _save_png(image: Image, stream: Any) -> None:
    # One bit a pixel takes half the time of eight; run lengths suit areas of one colour, and are
    # both quicker and smaller than the general search: 1.7 ms for 1024x1024 instead of 7.6.
    # Pillow's picture of bits is a copy, a byte a pixel; one of bytes is the pixels themselves.
    from PIL import Image as Pillow

    picture = _picture(image.bitmap())
    if image.pixels.size <= MOST_COPIED_PX and image.over is None:
        picture = picture.convert("1", dither=Pillow.Dither.NONE)
    picture.save(stream, "PNG", compress_level=1, compress_type=3)


def _save_pgm(image: Image, stream: Any) -> None:
    _picture(image.bitmap()).save(stream, "PPM")


def _save_ppm(image: Image, stream: Any) -> None:
    _picture(image.bitmap()).convert("RGB").save(stream, "PPM")


def _save_pbm(image: Image, stream: Any) -> None:
    from PIL import Image as Pillow

    check_shades("pbm", image.over)
    _picture(image.bitmap()).convert("1", dither=Pillow.Dither.NONE).save(stream, "PPM")


def _save_tif(image: Image, stream: Any) -> None:
    values = image.pixels if image.mode == "bitmap" else image.pixels.astype(np.float32, copy=False)
    _picture(values).save(stream, "TIFF")


WEBP_MOST = 16383
"""Pixels a side: the format stores the size in 14 bits."""


def _save_webp(image: Image, stream: Any) -> None:
    if max(image.width, image.height) > WEBP_MOST:
        raise OptionError(
            f"a .webp holds at most {WEBP_MOST} pixels a side, not {image.width}x{image.height}: "
            "choose .png"
        )
    _picture(image.bitmap()).save(stream, "WEBP", lossless=True)


def _save_npy(image: Image, stream: Any) -> None:
    np.save(stream, image.pixels, allow_pickle=False)


FORMATS = {
    "png": _save_png,
    "pgm": _save_pgm,
    "ppm": _save_ppm,
    "pbm": _save_pbm,
    "tif": _save_tif,
    "tiff": _save_tif,
    "webp": _save_webp,
    "npy": _save_npy,
}
"""The suffixes that an image can be saved under. Pillow is imported only when one is written."""
