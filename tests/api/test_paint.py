"""Images of painted shapes: the colour of each pixel, by every engine, and in every file."""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from PIL import Image as Pillow
from support.fake_cupy import FakeDevice, install
from support.pictures import pictures, samples

import intervalvm as ivm
from intervalvm import shapes as s
from intervalvm.api import paint as api_paint
from intervalvm.api.paint import colours_at
from intervalvm.expr.paint import paint_of

WAYS = [("pruned", "numba"), ("pruned", "numpy"), ("dense", "numpy"), ("naive", "numpy")]
OPTIONS: dict[str, dict[str, Any]] = {
    "bitmap": {},
    "values": {"mode": "value"},
    "float64": {"dtype": "float64"},
    "crop": {"crop": (5, 7, 61, 34)},
    "grid": {"grid": "fidget"},
    "z": {"z": 0.2},
    "variable": {"variables": {"r": 0.2}},
    "fast": {"fold": "fast"},
}
SIZE = 64, 48

moved = s.circle(ivm.var("r", 0.4)).move(-0.3), s.box(0.9, 0.6, 0.5).move(0.3), s.sphere(0.3)
COLOURS = (204, 136, 68), (0, 128, 128), (255, 255, 255)
scene = (moved[0].paint("#c84") | moved[1].paint("teal") | moved[2]) - s.circle(0.1).paint("red")
plain = (moved[0] | moved[1] | moved[2]) - s.circle(0.1)


def expected(image: ivm.Image, options: dict[str, Any]) -> Any:
    """The colour of the nearest of the three, black outside."""
    x, y = image.samples()
    values = []
    for each in moved:
        read = options.get("variables", {}) if each.tape().variables else {}
        z, dtype = options.get("z", 0.0), options.get("dtype", "float32")
        found = ivm.evaluate(each, x[None], y[:, None], z, dtype=dtype, variables=read)
        values.append(np.broadcast_to(found, image.pixels.shape))
    colours = np.array(COLOURS, np.uint8)[np.argmin(values, axis=0)]
    colours[image.bitmap() != 255] = 0
    return colours


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize(("engine", "backend"), WAYS, ids="-".join)
def test_a_pixel_has_the_colour_of_the_nearest_part(engine: Any, backend: Any, name: str) -> None:
    options = {"size": SIZE, "engine": engine, "backend": backend, **OPTIONS[name]}
    image, bare = ivm.render(scene, **options), ivm.render(plain, **options)
    assert_array_equal(image.pixels, bare.pixels)
    assert bare.colours is None
    found = image.colours
    assert found is not None
    assert found.dtype == np.uint8
    assert_array_equal(found, expected(image, options))
    assert len(np.unique(found.reshape(-1, 3), axis=0)) == 4
    assert image.colours is found


@pytest.mark.parametrize("prove", ["point", "area"])
def test_unproven_pixels_are_grey(prove: Any) -> None:
    image = ivm.render(scene, size=SIZE, prove=prove)
    assert image.colours is not None
    grey = image.pixels == 128
    assert grey.any() == (prove == "area")
    assert (image.colours[grey] == 128).all()
    assert_array_equal(image.colours[~grey], expected(image, {})[~grey])


@pytest.mark.parametrize("rows", [1, 7, 48])
def test_bands_make_no_difference(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    whole = ivm.render(scene, size=SIZE).colours
    monkeypatch.setattr(api_paint, "BAND_PX", rows * SIZE[0] + 3)
    assert_array_equal(ivm.render(scene, size=SIZE).colours, whole)


@given(pictures())
def test_any_picture_has_the_colours_of_its_samples(options: dict[str, Any]) -> None:
    samples(options)  # rejects regions beyond the dtype
    image = ivm.render(scene, **options)
    assert_array_equal(image.colours, expected(image, options))


@pytest.mark.parametrize(("engine", "backend"), [("dense", "cupy"), ("naive", "cupy")])
def test_colours_of_a_picture_by_a_gpu(
    monkeypatch: pytest.MonkeyPatch, engine: Any, backend: Any
) -> None:
    install(monkeypatch, FakeDevice())
    image = ivm.render(scene, size=SIZE, engine=engine, backend=backend)
    assert_array_equal(image.colours, ivm.render(scene, size=SIZE).colours)


def test_frames_of_a_renderer_have_colours() -> None:
    renderer = ivm.Renderer(scene, size=SIZE)
    for z in (0.0, 0.1, 0.2):
        frame = renderer.render(z=z, region=ivm.Region.around((0.1, z), 0.5))
        assert_array_equal(frame.colours, expected(frame, {"z": z}))


def test_memory_that_is_given_gets_the_bitmap() -> None:
    out = np.empty(SIZE[::-1], np.uint8)
    image = ivm.render(scene, size=SIZE, out=out)
    assert image.pixels is out
    assert_array_equal(image.colours, expected(image, {}))


def test_a_pickled_image_keeps_its_colours() -> None:
    image = ivm.render(scene, size=SIZE)
    again = pickle.loads(pickle.dumps(image))
    assert_array_equal(again.colours, image.colours)
    assert pickle.loads(pickle.dumps(ivm.render(plain, size=SIZE))).colours is None


def test_colours_that_do_not_fit_say_so() -> None:
    image = ivm.render(scene, size=1000, max_memory="4M")
    with pytest.raises(ivm.DoesNotFit, match="the colours of the image"):
        _ = image.colours


def written(image: ivm.Image, format: str) -> Any:
    stream = io.BytesIO()
    image.write(stream, format)
    stream.seek(0)
    return Pillow.open(stream)


@pytest.mark.parametrize("mode", ["bitmap", "value"])
@pytest.mark.parametrize("format", ["png", "ppm", "webp"])
def test_files_with_colours(format: str, mode: Any) -> None:
    image = ivm.render(scene, size=SIZE, mode=mode)
    assert_array_equal(written(image, format).convert("RGB"), image.colours)


def test_a_tif_has_colours_or_values() -> None:
    image = ivm.render(scene, size=SIZE)
    assert_array_equal(written(image, "tif"), image.colours)
    values = ivm.render(scene, size=SIZE, mode="value")
    assert_array_equal(written(values, "tif"), values.pixels)


@pytest.mark.parametrize("format", ["pgm", "pbm"])
def test_files_with_the_bitmap_alone(format: str) -> None:
    image = ivm.render(scene, size=SIZE)
    assert_array_equal(written(image, format).convert("L"), image.pixels)


def test_a_tape_file_holds_the_field() -> None:
    assert ivm.parse(str(scene.tape())) == scene.tape() == plain.tape()


def test_a_notebook_shows_colours() -> None:
    png = scene._repr_png_()
    assert png is not None
    with Pillow.open(io.BytesIO(png)) as picture:
        found = np.unique(np.asarray(picture).reshape(-1, 3), axis=0)
    assert {tuple(colour) for colour in found.tolist()} == {(0, 0, 0), *COLOURS}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_colours_at_points(dtype: str) -> None:
    paint = paint_of(scene)
    assert paint is not None
    points = dict(zip("xyz", np.random.default_rng(2).uniform(-1, 1, (3, 500)), strict=True))
    inputs = {**points, "r": 0.4, "unused": 3}
    found = colours_at(paint, inputs, dtype=dtype, bare=(1, 2, 3))
    values = [ivm.evaluate(each, **points, dtype=dtype) for each in moved]
    assert_array_equal(found, np.array([*COLOURS[:2], (1, 2, 3)])[np.argmin(values, axis=0)])
    assert_array_equal(
        colours_at(paint, inputs, dtype=dtype, backend="numpy")[found != 1], found[found != 1]
    )


def test_colours_at_points_of_one_colour() -> None:
    paint = paint_of(s.sphere(1).paint((1, 2, 3)))
    assert paint is not None
    found = colours_at(paint, {"x": np.zeros((2, 1)), "y": np.zeros(3), "z": 0.0})
    assert_array_equal(found, np.full((2, 3, 3), (1, 2, 3)))


# --- samples of a pixel ---------------------------------------------------------------------------


def mean_inside(options: dict[str, Any], n: int) -> Any:
    """The definition: of n x n fine pixels, the mean colour of those inside, rounded half up."""
    width, height = options["size"]
    fine = ivm.render(scene, **options | {"size": (n * width, n * height)})
    inside = (fine.pixels == 255).astype(int)
    assert fine.colours is not None
    total = (fine.colours.astype(int) * inside[..., None]).reshape(height, n, width, n, 3)
    count = inside.reshape(height, n, width, n).sum(axis=(1, 3))[..., None]
    return np.where(count, (2 * total.sum(axis=(1, 3)) + count) // np.maximum(2 * count, 1), 0)


@pytest.mark.parametrize(("engine", "backend"), WAYS, ids="-".join)
@pytest.mark.parametrize("n", [2, 3, 8])
def test_a_pixel_has_the_mean_colour_of_its_samples_inside(
    engine: Any, backend: Any, n: int
) -> None:
    options: dict[str, Any] = {"size": (33, 20), "engine": engine, "backend": backend}
    image = ivm.render(scene, antialias=n, **options)
    expected = mean_inside(options, n)
    assert_array_equal(image.colours, expected)
    mixed = {*map(tuple, expected.reshape(-1, 3).tolist())} - {(0, 0, 0), *COLOURS}
    assert mixed


@given(pictures(), st.integers(2, 5))
def test_any_picture_has_the_mean_colours_of_its_samples(options: dict[str, Any], n: int) -> None:
    options["size"] = (17, 12)
    options.pop("depth")
    samples(options | {"size": (17 * n, 12 * n)})  # rejects regions beyond the dtype
    assert_array_equal(ivm.render(scene, antialias=n, **options).colours, mean_inside(options, n))


def test_bands_of_samples_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ivm.render(scene, size=SIZE, antialias=3, variables={"r": 0.3})
    monkeypatch.setattr(api_paint, "BAND_PX", 9 * SIZE[0] * 5)
    again = ivm.render(scene, size=SIZE, antialias=3, variables={"r": 0.3})
    assert_array_equal(again.colours, whole.colours)


@pytest.mark.parametrize("paper", [None, "navy", "none"])
def test_mean_colours_lie_on_the_paper_by_coverage(paper: Any) -> None:
    image = ivm.render(scene, size=SIZE, antialias=4, paper=paper, ink="white")
    assert image.colours is not None
    assert_array_equal(image.shown, image._look.blended(image.colours, image.pixels))
    if paper == "none":
        assert_array_equal(image.shown[..., 3], image.pixels)
        return
    fine = ivm.render(scene, size=(4 * SIZE[0], 4 * SIZE[1]), paper=paper, ink="white")
    mean = fine.shown.reshape(SIZE[1], 4, SIZE[0], 4, 3).mean(axis=(1, 3))
    # of three roundings to bytes, of the coverage, the colours and the blend, each is half a byte
    assert np.abs(image.shown - mean).max() <= 1.5
