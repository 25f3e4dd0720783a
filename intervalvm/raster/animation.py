"""Animated files: frames of red, green and blue, shown in turn for equally long, over and over.

Pillow writes them, and is imported on first use.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from intervalvm import suffixes
from intervalvm.arguments import brief, integer, real
from intervalvm.environment import in_default_environment
from intervalvm.errors import OptionError
from intervalvm.memory import Amount, require
from intervalvm.raster import formats

if TYPE_CHECKING:
    from PIL.Image import Image

PATIENCE = 0.1
"""Seconds between looks at a thread."""
FRAME_BYTES = 12
"""The most that a pixel of a frame takes: Pillow has four bytes for it, and copies frames."""
MOST_SECONDS = 60.0
"""Of an animation: a PNG stores the time of a frame in milliseconds, in 16 bits."""
SAMPLES = 1 << 20
"""About the pixels of all frames that a palette is chosen from."""
COLOURS = 256
GIF_MOST = (1 << 16) - 1
"""Pixels a side: the format stores the size in 16 bits."""


@dataclass(frozen=True)
class Format:
    """A file format that holds an animation."""

    save: Callable[[Sequence[Image], Any, list[int]], None]
    """Write pictures to a seekable stream, each with its time in milliseconds."""
    unit_ms: int = 1
    """Times are multiples of it."""
    least_ms: int = 1
    """Of a frame: browsers show what is shorter for a tenth of a second."""


@dataclass(frozen=True)
class Timing:
    """How many frames an animation has, and how long it takes. Checked for a format."""

    frames: int
    seconds: float
    format: str

    def __post_init__(self) -> None:
        try:
            is_several = integer(self.frames) >= 2
        except TypeError:
            is_several = False
        if not is_several:
            raise OptionError(f"frames={brief(self.frames)}: give an integer of at least 2")
        seconds = real("seconds", self.seconds)
        if not 0 < seconds <= MOST_SECONDS:
            raise OptionError(
                f"seconds={brief(self.seconds)}: give a number above 0 and up to {MOST_SECONDS:g}"
            )
        most = math.floor(seconds * 1000 / ANIMATED[self.format].least_ms)
        if self.frames > most:
            raise OptionError(
                f"a .{self.format} shows at most {most} frames in {seconds:g} seconds, not "
                f"{brief(self.frames)}: give fewer frames, or more seconds"
            )

    @property
    def milliseconds(self) -> list[int]:
        """The time of each frame, a multiple of the format's unit; together ``seconds``."""
        unit = ANIMATED[self.format].unit_ms
        total = round(self.seconds * 1000 / unit)
        ends = [total * i // self.frames for i in range(self.frames + 1)]
        return [unit * (b - a) for a, b in pairwise(ends)]


def format_of(path: Any) -> str:
    """The key of ``ANIMATED`` for a file name."""
    suffix = os.path.splitext(os.fsdecode(path))[1].lower().removeprefix(".")
    if suffix in {*formats.FORMATS, *formats.COLOURS} - {*ANIMATED}:
        known = " ".join(f".{known}" for known in ANIMATED)
        raise OptionError(f"a .{suffix} holds one picture, and no animation: choose {known}")
    return suffixes.format_of(path, None, ANIMATED)


def check_holds(timing: Timing, width: int, height: int, max_memory: Amount | None) -> None:
    """Raise OptionError or DoesNotFit if frames of that size cannot be written."""
    formats.check_holds(timing.format, width, height)
    if timing.format == "gif" and max(width, height) > GIF_MOST:
        raise OptionError(
            f"a .gif holds at most {GIF_MOST} pixels a side, not {width}x{height}: choose .png"
        )
    what = f"an animation of {timing.frames} frames of {width}x{height} pixels"
    needed = FRAME_BYTES * width * height * timing.frames
    require(needed, what, "make it smaller, or of fewer frames", max_memory)


def write(frames: Sequence[NDArray[np.uint8]], stream: BinaryIO, timing: Timing) -> None:
    """Write frames, uint8[h, w, 3] each, as one file, to a stream that need not be seekable.

    Frames that look like the one before are joined with it.
    """
    from PIL import Image

    pictures, whole = [Image.fromarray(frame) for frame in frames], io.BytesIO()
    save = ANIMATED[timing.format].save
    try:
        _in_a_thread(lambda: save(pictures, whole, timing.milliseconds))
    finally:
        for picture in pictures:  # without which a thread that is left behind ends
            picture.close()
    stream.write(whole.getbuffer())


def _in_a_thread(work: Callable[[], None]) -> None:
    """Do some work so that an interrupt does not wait for it: a frame may take long to encode."""
    done: SimpleQueue[BaseException | None] = SimpleQueue()

    def run() -> None:
        try:
            in_default_environment(work)()
        except BaseException as error:
            done.put(error)
        else:
            done.put(None)

    Thread(target=run, daemon=True).start()
    while True:
        with suppress(Empty):  # without a timeout Windows would wait through an interrupt
            error = done.get(timeout=PATIENCE)
            break
    if error is not None:
        raise error


def _save(pictures: Sequence[Image], stream: Any, times: list[int], **options: Any) -> None:
    first, *others = pictures
    first.save(stream, save_all=True, append_images=others, duration=times, loop=0, **options)


def _save_gif(pictures: Sequence[Image], stream: Any, times: list[int]) -> None:
    """With one palette and no dithering: what stands still does not flicker."""
    from PIL import Image

    step = max(1, math.isqrt(sum(p.width * p.height for p in pictures) // SAMPLES))
    samples = [np.asarray(picture)[::step, ::step].reshape(1, -1, 3) for picture in pictures]
    sample = Image.fromarray(np.concatenate(samples, axis=1))
    chosen = sample.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    reduced = [p.quantize(palette=chosen, dither=Image.Dither.NONE) for p in pictures]
    _save(reduced, stream, times, format="GIF", palette=bytes(chosen.getpalette() or ()))


def _save_webp(pictures: Sequence[Image], stream: Any, times: list[int]) -> None:
    _save(pictures, stream, times, format="WEBP", lossless=True)


def _save_png(pictures: Sequence[Image], stream: Any, times: list[int]) -> None:
    _save(pictures, stream, times, format="PNG")


ANIMATED: dict[str, Format] = {
    "gif": Format(_save_gif, unit_ms=10, least_ms=20),
    "webp": Format(_save_webp),
    "png": Format(_save_png),
}
"""The suffixes that an animation can be saved under."""
