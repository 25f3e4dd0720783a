"""Films: every frame is in the file as it was given, in whatever format."""

from __future__ import annotations

import io
import os
import tracemalloc
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from numpy.typing import NDArray
from support.films import read

from intervalvm import BackendError
from intervalvm.raster import reel, video
from intervalvm.raster.animation import ANIMATED, Film, Timing

Frames = list[NDArray[np.uint8]]
EXACT = ["webp", "png"]
MOST_ERROR = 3
"""Of a colour in an area of one colour: a video has other coordinates for colours."""


def film(frames: Frames, format: str, seconds: float = 2.0) -> bytes:
    stream = io.BytesIO()
    with Film(Timing(len(frames), seconds, format)) as made:
        for frame in frames:
            made.add(frame)
        made.write(stream)
    return stream.getvalue()


def seen(frames: Frames, format: str, folder: Path, mode: str = "RGBA") -> Frames:
    path = folder / f"film.{format}"
    path.write_bytes(film(frames, format))
    return read(path, mode)[0]


def as_shown(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Red, green, blue and opacity; what is not seen is black."""
    found = np.zeros((*frame.shape[:2], 4), np.uint8)
    colours = frame[..., None] if frame.ndim == 2 else frame
    found[..., :3] = colours[..., :3]
    found[..., 3] = colours[..., 3] if colours.shape[2] == 4 else 255
    found[found[..., 3] == 0] = 0
    return found


def noise(seed: int, channels: int, colours: int = 256) -> NDArray[np.uint8]:
    shape = (7, 9) if channels == 1 else (7, 9, channels)
    return np.random.default_rng(seed).integers(0, colours, shape, np.uint8)


@given(st.lists(st.sampled_from([1, 3, 4]), min_size=2, max_size=5), st.sampled_from(EXACT))
def test_frames_come_back_as_they_went(
    tmp_path_factory: pytest.TempPathFactory, channels: list[int], format: str
) -> None:
    """Whatever has colours or opacity besides what has not."""
    frames = [noise(i, each) for i, each in enumerate(channels)]
    found = seen(frames, format, tmp_path_factory.mktemp("film"))
    assert len(found) == len(frames)
    for frame, expected in zip(found, frames, strict=True):
        assert_array_equal(as_shown(frame), as_shown(expected))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_gif_of_few_colours_is_exact(tmp_path: Path, channels: int) -> None:
    frames = [noise(i, channels, colours=256 if channels == 1 else 6) for i in range(4)]
    for frame, expected in zip(seen(frames, "gif", tmp_path), frames, strict=True):
        assert_array_equal(frame, as_shown(expected))


def test_a_gif_has_parts_that_are_clear(tmp_path: Path) -> None:
    """Where opacity is less than half; a part that was opaque before is cleared."""
    frames = [noise(i, 4, colours=4) for i in range(4)]
    for i, frame in enumerate(frames):
        frame[..., 3] = np.where(noise(i + 9, 1) < 90, 100, 200)
    for frame, expected in zip(seen(frames, "gif", tmp_path), frames, strict=True):
        is_clear = expected[..., 3] == 100
        assert_array_equal(frame[..., 3], np.where(is_clear, 0, 255))
        assert_array_equal(frame[~is_clear, :3], expected[~is_clear, :3])


@pytest.mark.parametrize("size", [(64, 48), (63, 47), (1, 1), (2, 301)])
def test_a_video_is_like_its_frames(tmp_path: Path, size: tuple[int, int]) -> None:
    width, height = size
    colours = [(200, 80, 0), (30, 120, 220), (255, 255, 255), (0, 0, 0), (1, 250, 3)]
    frames = [np.full((height, width, 3), colour, np.uint8) for colour in colours]
    found = seen(frames, "mp4", tmp_path)
    assert len(found) == len(frames)
    for frame, expected in zip(found, frames, strict=True):
        assert frame.shape[:2] == (height + height % 2, width + width % 2)
        shown = frame[:height, :width].astype(int)
        assert np.abs(shown - expected).max() <= MOST_ERROR


def test_a_video_shows_detail(tmp_path: Path) -> None:
    """Edges in brightness are kept, and what is grey stays grey."""
    rows, columns = np.mgrid[:128, :96]
    frames = [
        np.where((rows - 60) ** 2 + (columns - 30 - 4 * i) ** 2 < 700, np.uint8(255), np.uint8(0))
        for i in range(9)
    ]
    for frame, expected in zip(seen(frames, "mp4", tmp_path), frames, strict=True):
        assert np.abs(frame.astype(int) - expected[..., None]).mean() < 2
        assert ((frame[..., 0] > 127) == (expected > 127)).all()


def test_a_video_says_what_its_colours_are(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(film([noise(i, 3) for i in range(3)], "mp4", seconds=0.3))
    with av.open(path) as file:
        stream = file.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        found = stream.codec_context
        assert (found.colorspace, found.color_primaries, found.color_trc, found.color_range) == (
            *(video.BT709, video.BT709),
            *(video.SRGB, video.LIMITED),
        )
        assert stream.average_rate == 10


def test_a_video_is_not_kept_in_memory() -> None:
    """A hundred frames take as much as ten."""

    def most(count: int) -> int:
        frame = noise(0, 3)
        frame = np.ascontiguousarray(np.resize(frame, (256, 256, 3)))
        tracemalloc.start()
        film([frame] * count, "mp4")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    most(2)
    assert most(100) < most(10) + 3 * 256 * 256 * 20


def test_frames_wait_deflated() -> None:
    frames = [np.full((300, 300, 3), i, np.uint8) for i in range(50)]
    made = Film(Timing(50, 2.0, "gif"))
    for frame in frames:
        made.add(frame)
    encoder = made._encoder
    assert isinstance(encoder, reel.Reel)
    assert sum(len(data) for _, data in encoder._kept) < 50 * 300 * 300 * 3 / 100


@pytest.mark.parametrize("format", ANIMATED)
def test_reports_go_up_to_all_frames(format: str) -> None:
    told: list[tuple[int, int]] = []
    with Film(Timing(6, 2.0, format)) as made:
        for i in range(6):
            made.add(noise(i, 3))
        made.write(io.BytesIO(), lambda *n: told.append(n))
    assert told == sorted(told)
    assert told[-1] == (6, 6)


def test_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(BackendError, match=r"written by PyAV, which is not installed: pip install"):
        Film(Timing(2, 1.0, "mp4"))


class Full(io.RawIOBase):
    """A stream that takes nothing."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        raise OSError(28, os.strerror(28))


@pytest.mark.parametrize("format", ANIMATED)
def test_a_full_disk_is_told_as_such(format: str) -> None:
    with Film(Timing(2, 1.0, format)) as made:
        made.add(noise(0, 3))
        made.add(noise(1, 3))
        with pytest.raises(OSError, match="No space left"):
            made.write(Full())  # type: ignore[arg-type]
