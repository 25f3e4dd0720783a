"""What a render gives: the pixels, where they lie, and how the work went.

In: an array from the walk. Out: an ``Image``, which a notebook shows, NumPy reads and ``save``
writes in one of the ``formats``. It holds its samples itself: nothing is read back from ``Stats``.
"""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from intervalvm.arguments import brief
from intervalvm.environment import in_default_environment
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.files import check_path, write_atomically
from intervalvm.hints import IMAGE, lacks
from intervalvm.late import cached_property
from intervalvm.memory import address_of
from intervalvm.raster import formats

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from intervalvm.raster.grid import Axes
    from intervalvm.raster.region import Crop, Region
    from intervalvm.words import Backend, Engine, Grid, Mode, Prove

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
    and total; ``levels`` is empty for the engines that walk no quadtree. Of a proven image
    ``prove`` is "point" or "area", and ``pixels`` has unproven too. ``is_truth`` says that the
    tape's value is 1 or 0 everywhere, which draws nothing.
    """

    clauses: int
    size: tuple[int, int]
    depth: int
    engine: Engine
    backend: Backend
    dtype: str
    threads: int
    grid: Grid
    seconds: dict[str, float]
    pixels: dict[str, int]
    levels: tuple[Level, ...] = ()
    prove: Prove | None = None
    is_truth: bool = False

    def as_json(self) -> dict[str, Any]:
        """The same as plain lists, dicts and numbers; prove only of a proven image, and is_truth
        only where it is.
        """
        plain = asdict(self)
        if not self.is_truth:
            del plain["is_truth"]
        if self.prove is None:
            del plain["prove"]
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
        if self.prove is not None:
            lines.append(
                f"proven over each pixel's {self.prove}, but for "
                f"{self.pixels['unproven']} unproven ({share['unproven']:.1%})"
            )
        if self.is_truth:
            lines.append(
                "nothing is inside: the tape's value is 1 or 0, never below 0 "
                "(0.5 minus it is inside where it is 1)"
            )
        if self.levels:
            lines += ["", _table(self.levels)]
        lines += ["", *(f"{name:<8}{milliseconds(s):>12}" for name, s in self.seconds.items())]
        return "\n".join(lines)


def _table(levels: tuple[Level, ...]) -> str:
    rows: list[tuple[str, ...]] = [
        ("tile", "regions", "inside", "outside", "ambiguous", "mean clauses")
    ]
    for level in levels:
        counts = (level.regions, level.inside, level.outside, level.ambiguous)
        tile = f"{level.tile[0]}x{level.tile[1]}"
        rows.append((tile, *map(str, counts), f"{level.mean_clauses:.1f}"))
    return aligned(rows)


def aligned(rows: Sequence[Sequence[str]], *, left: int = 0) -> str:
    """Rows of equally many words as text: ``left`` columns to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            word.ljust(width) if i < left else word.rjust(width)
            for i, (word, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


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
    right, bottom), and is None for a whole one. ``PIL.Image.fromarray(image.pixels)`` is Pillow's
    image. A proven image is a bitmap with a third value, 128 for unproven; ``prove`` then says what
    was asked of each pixel, "point" or "area". Where a GPU drew the pixels they stay there, as
    ``device_pixels``, until ``pixels`` is asked for.
    """

    _pixels: Any
    region: Region
    _stats: Stats | Callable[[], Stats]
    _samples: Axes
    _edges: Axes | None = None
    prove: Prove | None = None
    crop: Crop | None = None

    @cached_property
    def pixels(self) -> NDArray[Any]:
        """The pixels in this process's memory, copied from a GPU at most once."""
        found: NDArray[Any] = self._pixels if self.device_pixels is None else self._pixels.get()
        return found

    @property
    def device_pixels(self) -> Any:
        """The CuPy array that a GPU drew; None where no GPU did."""
        return None if isinstance(self._pixels, np.ndarray) else self._pixels

    @property
    def stats(self) -> Stats:
        """How the work went: put together when it is asked for, which most frames are not."""
        # not a cached_property: in Python 3.11 that has a lock, which a fork may leave locked
        found = self._stats() if callable(self._stats) else self._stats
        object.__setattr__(self, "_stats", found)
        return found

    def samples(self) -> Axes:
        """x of the columns and y of the rows, top first, in the dtype of the image's arithmetic."""
        return self._samples

    def edges(self) -> Axes:
        """Where the areas of the pixels meet, as ``grid.edges`` has them.

        Raises OptionError for an image that proves nothing of areas.
        """
        if self._edges is None:
            raise OptionError("the image proves nothing of areas: render with prove='area'")
        return self._edges

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_pixels": self.pixels, "_stats": self.stats}

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self._pixels.shape[1])

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self._pixels.shape[0])

    @property
    def is_bitmap(self) -> bool:
        """Whether pixels say inside or outside; otherwise they are the values."""
        return bool(self._pixels.dtype == np.uint8)

    @property
    def mode(self) -> Mode:
        """ "bitmap" or "value"."""
        return "bitmap" if self.is_bitmap else "value"

    @in_default_environment
    def __repr__(self) -> str:
        proven = "" if self.prove is None else f" proven over each {self.prove}"
        return f"<Image {self.width}x{self.height}, {self.mode}{proven}, {self.region}>"

    if not TYPE_CHECKING:  # which would take every name for one that there is

        def __getattr__(self, name):
            return lacks(self, "an Image", name, IMAGE)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.pixels, dtype=dtype, copy=copy)

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        self.write(stream, "png")
        return stream.getvalue()

    @in_default_environment
    def bitmap(self) -> NDArray[np.uint8]:
        """255 where the value is below 0, else 0: ``pixels`` itself in mode "bitmap".

        So a proven image has its three values here too.
        """
        if self.is_bitmap:
            return self.pixels
        return np.where(self.pixels < 0, np.uint8(255), np.uint8(0))

    @in_default_environment
    def save(self, path: Any, format: str | None = None) -> None:
        """Write the file, whole or not at all; the suffix says the format unless ``format`` does.

        Pictures show the bitmap, save that a ``.tif`` of mode "value" holds the values as float32;
        from 4 GiB on it is a BigTIFF. ``.npy`` holds ``pixels`` as they are. What is unproven is
        grey. ``path`` is a file name, or a stream of your own for bytes, such as ``io.BytesIO``: it
        is written where it stands, and needs ``format`` unless it has a name. Raises OptionError
        for a format that is not in ``formats.FORMATS`` or cannot hold the size, or the grey,
        FileError where the file cannot be written.
        """
        if hasattr(path, "write"):
            self.write(path, formats.format_of_stream(path, format))
            return
        name = check_path(path)
        chosen = formats.format_of(name, format)
        formats.check_holds(chosen, self.width, self.height, proven=self.prove is not None)
        write_atomically(name, lambda stream: self.write(stream, chosen))

    @in_default_environment
    def write(self, stream: BinaryIO, format: str = "png") -> None:
        """Write the bytes of the file to a ``stream`` of your own."""
        if not hasattr(stream, "write"):
            raise ArgumentTypeError(f"stream={brief(stream)}: give a file that is open for bytes")
        formats.write(self, stream, formats.format_of("", format))
