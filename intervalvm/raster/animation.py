"""Animated files: frames shown in turn for equally long, over and over.

A ``Film`` takes frames one by one. A format's encoder keeps them deflated (``reel``), or encodes
them as they come (``video``).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, Self

import numpy as np

from intervalvm import suffixes
from intervalvm.arguments import brief, integer, real
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.files import write_atomically
from intervalvm.memory import Amount, require
from intervalvm.raster import formats, reel
from intervalvm.raster.reel import Frame, Reel
from intervalvm.raster.video import Video

if TYPE_CHECKING:
    from intervalvm.raster.job import Progress

MOST_SECONDS = 60.0
"""Of an animated picture: a PNG stores the time of a frame in milliseconds, in 16 bits."""
GIF_MOST = (1 << 16) - 1
"""Pixels a side: the format stores the size in 16 bits."""
VIDEO_MOST = 1 << 14
"""Pixels a side that the encoder of videos takes."""


class Encoder(Protocol):
    """What makes a file of frames."""

    passes: int
    """How often a frame counts as a step of the work."""

    def add(self, frame: Frame) -> None:
        """Take the next frame."""

    def finish(self, stream: BinaryIO, report: Progress | None) -> None:
        """Write the file to a stream; reports are of (written, all) frames."""

    def close(self) -> None:
        """Let go of the frames."""


@dataclass(frozen=True)
class Format:
    """A file format that holds an animation."""

    encoder: Callable[[Timing], Encoder]
    kept_bytes: int = 0
    """The most that a pixel of each frame takes until the file is written."""
    unit_ms: int = 1
    """Times are multiples of it."""
    least_ms: int = 1
    """Of a frame: browsers show what is shorter for a tenth of a second."""
    most_px: int | None = None
    """Pixels a side."""
    most_seconds: float = MOST_SECONDS


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
        longest = ANIMATED[self.format].most_seconds
        if not 0 < seconds <= longest:
            raise OptionError(
                f"seconds={brief(self.seconds)}: give a number above 0 and up to {longest:g}"
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
    kind = ANIMATED[timing.format]
    formats.check_holds(timing.format, width, height)
    if kind.most_px is not None and max(width, height) > kind.most_px:
        raise OptionError(
            f"a .{timing.format} holds at most {kind.most_px} pixels a side, not {width}x{height}: "
            "choose .png"
        )
    what = f"an animation of {timing.frames} frames of {width}x{height} pixels"
    needed = kind.kept_bytes * width * height * timing.frames
    require(needed, what, "make it smaller, or of fewer frames", max_memory)


class Film:
    """An animated file in the making: frames are added one by one, then it is written.

    Leaving it as a context lets go of the frames. Raises BackendError without the library that
    writes the format.
    """

    def __init__(self, timing: Timing, max_memory: Amount | None = None) -> None:
        self._timing, self._max_memory = timing, max_memory
        self._encoder = ANIMATED[timing.format].encoder(timing)
        self._size: tuple[int, int] | None = None
        self._count = 0

    @property
    def steps(self) -> int:
        """The steps of the work: frames that are added, and written if not at once."""
        return self._timing.frames * self._encoder.passes

    def add(self, frame: Any) -> None:
        """Take the next frame, uint8[h, w], or [h, w, 3 or 4] with colours and opacity.

        Raises ArgumentTypeError for another array, OptionError for another size than the first
        frame's, and what ``check_holds`` does.
        """
        i, size = self._count, _size_of(frame, self._count)
        if self._size is None:
            check_holds(self._timing, *size, self._max_memory)
            self._size = size
        if size != self._size:
            (width, height), (first_width, first_height) = size, self._size
            raise OptionError(
                f"frame {i} is {width}x{height} pixels, and frame 0 is "
                f"{first_width}x{first_height}: give all frames one size"
            )
        self._encoder.add(frame)
        self._count += 1

    def make(self, frames: Iterable[Any], path: str, report: Progress | None) -> None:
        """Take all frames and write the file, whole or not at all; reports are of ``steps``."""
        for done, frame in enumerate(frames, 1):
            self.add(frame)
            if report is not None:
                report(done, self.steps)
        write_atomically(path, lambda stream: self.write(stream, self._beyond(report)))

    def _beyond(self, report: Progress | None) -> Progress | None:
        """What takes reports of writing as the last ``steps``, after those of adding frames."""
        frames, steps = self._timing.frames, self.steps
        if report is None or steps == frames:
            return None
        return lambda done, _: report(frames + done, steps)

    def write(self, stream: BinaryIO, report: Progress | None = None) -> None:
        """Write the file to a stream that need not be seekable; reports are of frames.

        Frames that look like the one before are joined with it.
        """
        self._encoder.finish(stream, report)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._encoder.close()


def _size_of(frame: Any, i: int) -> tuple[int, int]:
    """The width and the height of a frame."""
    is_array = isinstance(frame, np.ndarray) and frame.dtype == np.uint8
    if is_array and (frame.ndim == 2 or (frame.ndim == 3 and frame.shape[2] in (3, 4))):
        if frame.size:
            return frame.shape[1], frame.shape[0]
        raise OptionError(f"frame {i} has no pixels: its shape is {frame.shape}")
    found = brief(frame)
    if isinstance(frame, np.ndarray):
        found = f"{frame.dtype}[{', '.join(map(str, frame.shape))}]"
    raise ArgumentTypeError(
        f"frame {i} is {found}: give uint8[height, width], or with 3 colours or 4 channels last"
    )


def _reel(save: reel.Save, timing: Timing) -> Reel:
    return Reel(save, timing.milliseconds)


def _video(timing: Timing) -> Video:
    return Video(timing.frames, timing.seconds)


ANIMATED: dict[str, Format] = {
    "gif": Format(partial(_reel, reel.save_gif), 5, unit_ms=10, least_ms=20, most_px=GIF_MOST),
    "webp": Format(partial(_reel, reel.save_webp), 8),
    "png": Format(partial(_reel, reel.save_png), 8),
    "mp4": Format(_video, most_px=VIDEO_MOST, most_seconds=3600.0),
}
"""The suffixes that an animation can be saved under."""
