"""Videos: H.264 in MP4 by PyAV, which is imported on first use. Frames are encoded as they come."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from intervalvm.aside import aside
from intervalvm.errors import BackendError, OptionError, install_line

if TYPE_CHECKING:
    from intervalvm.raster.job import Progress
    from intervalvm.raster.reel import Frame

CODEC = "libx264"
QUALITY: dict[str, Any] = {"crf": "16", "preset": "medium", "tune": "animation"}
"""Hardly to be told from the frames, whose areas are flat."""
BT709, SRGB, LIMITED = 1, 13, 1
"""The primaries and the matrix, the transfer function and the range of H.264's colours."""
MOST_RATE = 1 << 16
"""The largest denominator of the frames a second."""


class Video:
    """A video in the making, of 4:2:0 colours, which every player shows. It has no opacity."""

    passes = 1
    """How often a frame counts as a step: it is written when it is drawn."""

    def __init__(self, frames: int, seconds: float) -> None:
        try:
            import av
        except ImportError:
            raise BackendError(
                f"an .mp4 is written by PyAV, which is not installed: {install_line('film')}"
            ) from None
        self._av, self._whole, self._count = av, io.BytesIO(), 0
        with self._errors():
            self._container = av.open(self._whole, "w", format="mp4")
            rate = Fraction(frames / seconds).limit_denominator(MOST_RATE)
            self._stream: Any = self._container.add_stream(CODEC, rate=rate)
        self._stream.options = QUALITY

    def add(self, frame: Frame) -> None:
        """Encode a frame. Raises OptionError if it is not opaque."""
        if frame.ndim == 3 and frame.shape[2] == 4:
            if frame[..., 3].min() < 255:
                raise OptionError(
                    f"frame {self._count} is transparent in parts, which an .mp4 cannot hold: "
                    "give the paper or the background a colour, or choose .webp or .png"
                )
            frame = frame[..., :3]
        if frame.ndim == 2:
            frame = np.repeat(frame[:, :, None], 3, axis=2)
        height, width = frame.shape[:2]
        # colours are of 2x2 pixels: an odd side gets its last pixels twice
        frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
        with self._errors():
            aside(lambda: self._encode(frame))
        self._count += 1

    def _encode(self, frame: Frame) -> None:
        if not self._count:
            self._begin(*frame.shape[:2])
        picture = self._av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(
            format="yuv420p",
            dst_colorspace=self._av.video.reformatter.Colorspace.ITU709,
            dst_color_range=self._av.video.reformatter.ColorRange.MPEG,
        )
        picture.pts = self._count
        self._container.mux(self._stream.encode(picture))

    def _begin(self, height: int, width: int) -> None:
        stream = self._stream
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.color_primaries = stream.codec_context.colorspace = BT709
        stream.codec_context.color_trc, stream.codec_context.color_range = SRGB, LIMITED

    def finish(self, stream: BinaryIO, report: Progress | None) -> None:
        """Write the file, which is encoded but for the last frames."""

        def end() -> None:
            self._container.mux(self._stream.encode(None))
            self._container.close()

        with self._errors():
            aside(end)
        if report is not None:
            report(self._count, self._count)
        stream.write(self._whole.getbuffer())

    def close(self) -> None:
        """Nothing is left to do: the memory goes with the video."""

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except self._av.FFmpegError as error:
            raise BackendError(f"the video cannot be encoded by {CODEC}: {error}") from error
