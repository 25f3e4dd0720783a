"""The frames of an animation, kept deflated until a writer of Pillow's asks for them.

Pillow is imported on first use.
"""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from intervalvm.aside import aside

if TYPE_CHECKING:
    from PIL.Image import Image

    from intervalvm.raster.job import Progress

Frame = NDArray[np.uint8]
"""uint8[h, w], brightnesses; [h, w, 3], red, green and blue; or [h, w, 4] with opacity."""
Save = Callable[["Reel", BinaryIO], None]
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
SAMPLES = 1 << 20
"""About the pixels of all frames that a palette is chosen from."""
COLOURS = 256
"""The most colours of a palette."""
OPAQUE = 128
"""The least opacity that is shown by a format that has none in part."""


class Reel:
    """Frames of one size and their times in milliseconds, for a file that Pillow writes whole."""

    passes = 2
    """How often a frame counts as a step: once when it is drawn, once when it is written."""

    def __init__(self, save: Save, times: list[int]) -> None:
        self.times, self.channels = times, 1
        self.written = 0
        """The frames that the file has so far: a writer sets it."""
        self._save, self._kept = save, list[tuple[tuple[int, ...], bytes]]()

    def add(self, frame: Frame) -> None:
        """Keep a frame."""
        data = np.ascontiguousarray(frame)
        self.channels = max(self.channels, 1 if frame.ndim == 2 else frame.shape[2])
        self._kept.append((frame.shape, aside(lambda: zlib.compress(data.data, 1))))

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, i: int) -> Frame:
        """A frame, with as many channels as the one that has most."""
        shape, data = self._kept[i]
        frame = np.frombuffer(zlib.decompress(data), np.uint8).reshape(shape)
        if frame.ndim == 2 and self.channels > 1:
            frame = np.repeat(frame[:, :, None], 3, axis=2)
        if frame.ndim == 3 and frame.shape[2] < self.channels:
            frame = np.dstack([frame, np.full(frame.shape[:2], 255, np.uint8)])
        return frame

    def finish(self, stream: BinaryIO, report: Progress | None) -> None:
        """Write the file; reports are of (written, all) frames."""
        whole, count = io.BytesIO(), len(self)

        def look() -> None:
            if report is not None:
                report(min(self.written, count), count)

        try:
            aside(lambda: self._save(self, whole), look)
        finally:
            self._kept = []  # without which a thread that is left behind ends
        if report is not None:
            report(count, count)
        stream.write(whole.getbuffer())

    def close(self) -> None:
        """Forget the frames."""
        self._kept = []


def _moving(reel: Reel, show: Callable[[Frame], Image] | None = None) -> Image:
    """A picture of Pillow's with several frames, each made when it is asked for."""
    from PIL import Image

    class Moving(Image.Image):
        n_frames = len(reel)

        def __init__(self) -> None:
            super().__init__()
            self._at = -1
            self.seek(0)

        def seek(self, frame: int) -> None:
            if frame >= self.n_frames:
                raise EOFError
            if frame != self._at:
                picture = (show or Image.fromarray)(reel[frame])
                self.im, self.palette = picture.im, picture.palette
                self._mode, self._size, self._at = picture.mode, picture.size, frame

        def tell(self) -> int:
            return self._at

    return Moving()


def _save(reel: Reel, picture: Image, stream: Any, **options: Any) -> None:
    picture.save(stream, save_all=True, duration=reel.times, loop=0, **options)


class _Counting:
    """A stream that counts the frames that are written to it, which begin with a mark."""

    def __init__(self, reel: Reel, stream: BinaryIO, mark: bytes) -> None:
        self._reel, self._stream, self._mark = reel, stream, mark
        self.flush, self.tell, self.seek = stream.flush, stream.tell, stream.seek

    def write(self, data: bytes) -> int:
        self._reel.written += data.endswith(self._mark)
        return self._stream.write(data)


def save_png(reel: Reel, stream: BinaryIO) -> None:
    """With the exact colours."""
    _save(reel, _moving(reel), _Counting(reel, stream, b"fcTL"), format="PNG")


def save_webp(reel: Reel, stream: BinaryIO) -> None:
    """With the exact colours."""

    def show(frame: Frame) -> Image:
        from PIL import Image

        reel.written += 1
        return Image.fromarray(frame)

    _save(reel, _moving(reel, show), stream, format="WEBP", lossless=True)


def save_gif(reel: Reel, stream: BinaryIO) -> None:
    """With one palette and no dithering: what stands still does not flicker.

    Up to 256 colours are exact. Opacity is all or nothing, which takes one of the colours.
    """
    clear = reel.channels == 4 and any(reel[i][..., 3].min() < OPAQUE for i in range(len(reel)))
    most = COLOURS - clear
    exact = _few_colours(reel, most)
    found = exact if exact is not None else _chosen_colours(reel, most)
    palette = bytes(found) + bytes(3 * (COLOURS - len(found)) * clear)
    reduce = partial(_exactly, exact) if exact is not None else partial(_nearly, palette)

    def show(frame: Frame) -> Image:
        from PIL import Image

        reel.written += 1
        indices = reduce(_rgb(frame))
        if clear:
            indices = np.where(frame[..., 3] < OPAQUE, np.uint8(COLOURS - 1), indices)
        picture = Image.fromarray(indices)
        picture.putpalette(palette)
        return picture

    more = {"transparency": COLOURS - 1, "disposal": 2} if clear else {}
    _save(reel, _moving(reel, show), stream, format="GIF", palette=palette, **more)


def _rgb(frame: Frame) -> Frame:
    """Red, green and blue of a frame, [h, w, 3]; black where it is transparent."""
    if frame.ndim == 2:
        return np.repeat(frame[:, :, None], 3, axis=2)
    if frame.shape[2] == 4:
        return frame[..., :3] * (frame[..., 3:] >= OPAQUE)
    return frame


def _packed(colours: Frame) -> NDArray[np.uint32]:
    """Red, green and blue as one number."""
    red, green, blue = (colours[..., i].astype(np.uint32) for i in range(3))
    return (red << 16 | green << 8 | blue).astype(np.uint32, copy=False)


def _few_colours(reel: Reel, most: int) -> Frame | None:
    """The colours of all frames, uint8[n, 3], in the order of ``_packed``; None if too many."""
    found = np.zeros(0, np.uint32)
    for i in range(len(reel)):
        found = np.union1d(found, _packed(_rgb(reel[i])))
        if len(found) > most:
            return None
    return np.stack([found >> 16, found >> 8 & 255, found & 255], axis=1).astype(np.uint8)


def _exactly(colours: Frame, frame: Frame) -> Frame:
    """The index of each pixel's colour."""
    return np.searchsorted(_packed(colours), _packed(frame)).astype(np.uint8)


def _chosen_colours(reel: Reel, most: int) -> Frame:
    """The colours of a palette for all frames, uint8[n, 3]."""
    from PIL import Image

    step = max(1, math.isqrt(sum(math.prod(shape[:2]) for shape, _ in reel._kept) // SAMPLES))
    samples = [_rgb(reel[i][::step, ::step]).reshape(1, -1, 3) for i in range(len(reel))]
    sample = Image.fromarray(np.concatenate(samples, axis=1))
    chosen = sample.quantize(most, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    return np.array(chosen.getpalette(), np.uint8).reshape(-1, 3)[:most]


def _nearly(palette: bytes, frame: Frame) -> Frame:
    """The index of a near colour of a palette for each pixel."""
    from PIL import Image

    holder = Image.new("P", (1, 1))
    holder.putpalette(palette)
    reduced = Image.fromarray(frame).quantize(palette=holder, dither=Image.Dither.NONE)
    return np.asarray(reduced)
