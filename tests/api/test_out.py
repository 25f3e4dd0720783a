"""``out=``: an image drawn into memory that the caller gives, whatever it holds."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import intervalvm as ivm
from intervalvm import shapes
from intervalvm.api import render
from intervalvm.api.options import Options
from intervalvm.gpu import walk as gpu_walk

X, Y, _ = ivm.axes()
SHAPE = shapes.circle(0.5) | shapes.rectangle(1.5, 0.1)
WAYS = [("pruned", "numba"), ("pruned", "numpy"), ("dense", "numpy"), ("naive", "numpy")]
MODES: dict[str, dict[str, Any]] = {
    "bitmap": {},
    "float64": {"dtype": "float64"},
    "values": {"mode": "value"},
    "values of float64": {"mode": "value", "dtype": "float64"},
    "point": {"prove": "point"},
    "area": {"prove": "area"},
    "crop": {"crop": (5, 7, 61, 34)},
}


def fitting(image: ivm.Image) -> Any:
    """Memory that somebody else has used, and what follows it."""
    return np.full(image.pixels.shape, 77, image.pixels.dtype)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("engine", "backend"), WAYS, ids="-".join)
def test_every_pixel_of_it_is_written(engine: Any, backend: Any, mode: str, threads: int) -> None:
    options: dict[str, Any] = {"size": (64, 48), "engine": engine, **MODES[mode]}
    if options.get("prove") and engine == "naive":
        pytest.skip("keeping all arrays proves nothing")
    options |= {"backend": backend, "threads": threads}
    expected = ivm.render(SHAPE, **options)
    out = fitting(expected)
    found = ivm.render(SHAPE, **options, out=out)
    assert found.pixels is out
    assert_array_equal(out, expected.pixels)
    assert found.stats.pixels == expected.stats.pixels
    assert found.region == expected.region


def test_nothing_beside_it_is_written() -> None:
    for size in (16, 100, (33, 7), 256):
        expected = ivm.render(SHAPE, size=size).pixels
        height, width = expected.shape
        memory = np.full((height + 2, width), 77, np.uint8)
        ivm.render(SHAPE, size=size, out=memory[1:-1])
        assert_array_equal(memory[1:-1], expected)
        assert set(memory[0]) | set(memory[-1]) == {77}


def test_pixels_of_a_gpu_are_copied_into_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class OnDevice:
        shape, size, dtype = (8, 8), 64, np.dtype(np.uint8)

        def get(self) -> Any:
            return np.arange(64, dtype=np.uint8).reshape(self.shape)

    monkeypatch.setattr(gpu_walk, "renderer", lambda *_: lambda x, y: (OnDevice(), [[0] * 8]))
    for out in (None, np.empty((8, 8), np.uint8)):
        job = Options(size=8, out=out).job(X.tape(), None)
        image = render._on_device(job, None, None).image(job, 0.0)
        assert image.pixels[7, 7] == 63
        assert out is None or image.pixels is out
        assert (image.device_pixels is None) == (out is not None)


def test_frames_of_a_renderer_share_their_memory() -> None:
    expected = [ivm.render(SHAPE, size=96, region=(-1, 1, -1, y)).pixels for y in (1, 0.9)]
    renderer, image = ivm.Renderer(SHAPE, size=96), None
    for y, pixels in zip((1, 0.9), expected, strict=True):
        image = renderer.render(region=(-1, 1, -1, y), out=image and image.pixels)
        assert_array_equal(image.pixels, pixels)
    out = np.empty((96, 96), np.uint8)
    renderer = ivm.Renderer(SHAPE, size=96, out=out)
    assert renderer.render().pixels is renderer.render().pixels is out
    again = pickle.loads(pickle.dumps(renderer)).render().pixels
    assert again is not out
    assert_array_equal(again, out)


def test_an_image_needs_no_memory_of_its_own() -> None:
    out = np.empty((1024, 1024), np.uint8)
    with pytest.raises(ivm.DoesNotFit):
        ivm.render(X, size=1024, max_memory=900_000)
    assert ivm.render(X, size=1024, max_memory=900_000, threads=1, out=out).pixels is out


READ_ONLY = np.zeros((8, 8), np.uint8)
READ_ONLY.flags.writeable = False


@pytest.mark.parametrize(
    ("out", "options", "said"),
    [
        (np.zeros((8, 9), np.uint8), {}, r"uint8\[8, 9\], but the image is uint8\[8, 8\]"),
        (np.zeros(64, np.uint8), {}, r"give np.empty\(\(8, 8\), np.uint8\)"),
        (np.zeros((8, 8)), {}, "out is float64"),
        (np.zeros((8, 8), np.int8), {}, "out is int8"),
        (np.zeros((8, 8), np.uint8), {"mode": "value"}, "but the image is float32"),
        (np.zeros((8, 8), ">f4"), {"mode": "value"}, "out is >f4"),
        (np.zeros((8, 16), np.uint8)[:, ::2], {}, "gaps or another order"),
        (np.zeros((8, 16), np.uint8)[:, :8], {}, "gaps or another order"),
        (np.zeros((8, 8), np.uint8)[::-1], {}, "gaps or another order"),
        (np.zeros((8, 8), np.uint8).T, {}, "gaps or another order"),
        (np.broadcast_to(np.zeros((), np.uint8), (8, 8)), {}, "gaps or another order"),
        (READ_ONLY, {}, "is read-only"),
        (np.zeros(257, np.uint8)[1:].view("f4").reshape(8, 8), {"mode": "value"}, "odd address"),
        (ivm.render(X, size=8, engine="dense"), {}, "give .pixels of that image"),
        ([[0] * 8] * 8, {}, "no NumPy array"),
        ("out.png", {}, "no NumPy array"),
    ],
)
def test_what_an_image_cannot_be_drawn_into(out: Any, options: Any, said: str) -> None:
    before = out.copy() if isinstance(out, np.ndarray) else None
    reports: list[Any] = []
    for engine in ("pruned", "dense"):
        with pytest.raises(ivm.IntervalvmError, match=said):
            ivm.render(
                X, size=8, engine=engine, out=out, progress=lambda *r: reports.append(r), **options
            )
    assert not reports, "before any work"
    if before is not None:
        assert_array_equal(out, before)


def test_a_renderer_refuses_at_once_what_is_never_right() -> None:
    for out in (5, READ_ONLY):
        with pytest.raises(ivm.IntervalvmError, match="out"):
            ivm.Renderer(X, out=out)
    renderer = ivm.Renderer(X, size=8, out=np.zeros((8, 8), np.uint8))
    with pytest.raises(ivm.OptionError, match=r"the image is uint8\[4, 4\]"):
        renderer.render(size=4)


def test_an_interrupted_frame_leaves_it_to_the_caller() -> None:
    """It holds parts of the frame; the next one is whole."""
    out = np.full((256, 256), 77, np.uint8)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ivm.render(SHAPE, size=256, engine="dense", out=out, progress=stop)
    assert (out != 77).any()
    assert_array_equal(
        ivm.render(SHAPE, size=256, out=out).pixels, ivm.render(SHAPE, size=256).pixels
    )
