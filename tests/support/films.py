"""Readers of animated files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image
from numpy.typing import NDArray


def read(path: Path, mode: str = "RGB") -> tuple[list[NDArray[np.uint8]], list[float], Any]:
    """The frames of a file, their times in milliseconds, and how often they are shown."""
    if path.suffix == ".mp4":
        frames, times = video(path)
        return frames, times, 0
    with PIL.Image.open(path) as file:
        frames, times = [], []
        for i in range(getattr(file, "n_frames", 1)):
            file.seek(i)
            frames.append(np.asarray(file.convert(mode)))
            times.append(file.info["duration"])
        return frames, times, file.info["loop"]


def video(path: Path) -> tuple[list[NDArray[np.uint8]], list[float]]:
    """The frames of a video, by the colours that it says it has, and their times."""
    with av.open(path) as file:
        stream = file.streams.video[0]
        assert stream.average_rate is not None
        decoded = [*file.decode(stream)]
        frames = [
            each.reformat(format="rgb24", src_colorspace="ITU709", dst_colorspace="ITU709")
            for each in decoded
        ]
        return [frame.to_ndarray() for frame in frames], [
            1000 / float(stream.average_rate) for _ in decoded
        ]
