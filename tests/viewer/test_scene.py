"""Pictures of views: bit for bit those of ``render`` and ``render3d``, and what is told of them."""

from __future__ import annotations

import io
import json
import math
from typing import Any

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray
from support.places import TOP
from support.windows import PLANE, SOLID, a_view, bits_of

import intervalvm as ivm
from intervalvm.shapes import Shape, circle, rectangle, sphere
from intervalvm.viewer.encoding import TILE_INSIDE, TILE_OUTSIDE
from intervalvm.viewer.request import View, parse
from intervalvm.viewer.scene import UNSET, Scene

FLOWER = circle(0.2).move(0.5).repeat_around(7) | circle(0.3)
PARTS = circle(0.4).paint("teal").move(-0.3) | rectangle(0.5, 0.5).paint("#c84").move(0.4)
BALL = sphere(0.8) - sphere(0.4).move(0.3, 0.3, 0.6)
SIZE = 67, 45
"""Neither a side is a whole number of bytes, nor of leaves."""


def drawn(shape: Any, **fields: Any) -> tuple[dict[str, Any], bytes]:
    request = parse(json.dumps(a_view(size=list(SIZE)) | fields))
    assert isinstance(request, View)
    found = Scene(shape, "shape.py").draw(request, request.size, lambda *_: None)
    return found.facts, found.payload


def rendered(shape: Any, plane: dict[str, Any] = PLANE, **options: Any) -> ivm.Image:
    x, y = map(float, plane["center"])
    region = ivm.Region.around((x, y), float(plane["scale"]))
    return ivm.render(shape, size=SIZE, region=region, grid="center", **options)


def colours_of(payload: bytes) -> NDArray[np.uint8]:
    return np.asarray(PIL.Image.open(io.BytesIO(payload)).convert("RGB"))


PLANES = [PLANE, {"center": ["0.25", "-0.5"], "scale": "0.125"}]


@pytest.mark.parametrize("plane", PLANES, ids=str)
def test_a_bitmap_is_that_of_render(plane: dict[str, Any]) -> None:
    facts, payload = drawn(FLOWER, plane=plane)
    image = rendered(FLOWER, plane)
    assert facts["format"] == "bits"
    assert facts["size"] == list(SIZE)
    assert facts["picture_bytes"] == len(payload)
    np.testing.assert_array_equal(bits_of(facts, payload), [image.pixels == 255])
    assert facts["inside"] == int((image.pixels == 255).sum())
    assert (facts["notice"], facts["tiles"], facts["dtype"]) == (None, None, "float32")


@pytest.mark.parametrize("plane", PLANES, ids=str)
def test_proven_pixels_are_two_planes(plane: dict[str, Any]) -> None:
    facts, payload = drawn(FLOWER, plane=plane, show="proven")
    pixels = rendered(FLOWER, plane, prove="area").pixels
    assert facts["format"] == "bits2"
    np.testing.assert_array_equal(bits_of(facts, payload), [pixels == 255, pixels == 128])
    assert facts["inside"] == int((pixels == 255).sum())


def test_values_are_in_colours_with_lines() -> None:
    facts, payload = drawn(FLOWER, show="value", isolines=0.1)
    image = rendered(FLOWER, mode="value")
    assert facts["format"] == "png"
    np.testing.assert_array_equal(colours_of(payload), image.coloured(isolines=0.1).shown)
    assert facts["inside"] == int((image.pixels < 0).sum())
    facts, payload = drawn(FLOWER, show="value")
    np.testing.assert_array_equal(colours_of(payload), image.coloured().shown)


def test_colours_of_parts_are_lossless_at_rest() -> None:
    facts, payload = drawn(PARTS, paper="#112233")
    assert facts["format"] == "png"
    np.testing.assert_array_equal(colours_of(payload), rendered(PARTS, paper="#112233").shown)
    assert colours_of(payload)[0, 0].tolist() == [0x11, 0x22, 0x33]
    facts, payload = drawn(PARTS, moving=True)
    assert facts["format"] == "jpeg"
    assert colours_of(payload).shape == (SIZE[1], SIZE[0], 3)


def test_tiles_are_those_of_the_picture() -> None:
    facts, payload = drawn(FLOWER, overlay="clauses")
    image = rendered(FLOWER)
    np.testing.assert_array_equal(bits_of(facts, payload), [image.pixels == 255])
    n = 2 ** facts["tiles"]["level"]
    found = payload[facts["picture_bytes"] :]
    tiles = np.frombuffer(found, "<i4", n * n).reshape(n, n)
    levels = np.frombuffer(found, np.uint8, offset=4 * n * n).reshape(n, n)
    np.testing.assert_array_equal(levels, image.map("level"))
    verdicts, clauses = image.map("verdict"), image.map("clauses")
    np.testing.assert_array_equal(tiles == TILE_INSIDE, verdicts == 255)
    np.testing.assert_array_equal(tiles == TILE_OUTSIDE, verdicts == 0)
    left = verdicts == 128
    assert left.any()
    np.testing.assert_array_equal(tiles[left], clauses[left])


@pytest.mark.parametrize("mode", ["shaded", "normals", "heightmap", "occlusion"])
def test_a_solid_is_that_of_render3d(mode: Any) -> None:
    facts, payload = drawn(BALL, solid=SOLID | {"mode": mode, "perspective": 0.3})
    look = ivm.View.turntable(30, 20, perspective=0.3)
    image = ivm.render3d(BALL, size=SIZE, view=look, mode=mode)
    pixels = image.pixels if image.pixels.ndim == 3 else image.pixels[..., None].repeat(3, axis=2)
    assert facts["format"] == "png"
    np.testing.assert_array_equal(colours_of(payload), pixels)
    assert facts["inside"] == image.stats.voxels["hit"]
    moving, _ = drawn(BALL, solid=SOLID | {"mode": mode}, moving=True)
    assert moving["format"] == "jpeg"


def test_a_deep_view_is_in_float64_and_a_deeper_one_says_so() -> None:
    plane = {"center": ["0.3333333333333333333", "0.1"], "scale": "1e-9"}
    facts, payload = drawn(FLOWER, plane=plane)
    assert facts["dtype"] == "float64"
    assert facts["notice"] is None
    image = rendered(FLOWER, plane, dtype="float64")
    np.testing.assert_array_equal(bits_of(facts, payload), [image.pixels == 255])
    facts, _ = drawn(FLOWER, plane=plane | {"scale": "1e-30"})
    assert "float64" in facts["notice"]
    facts, _ = drawn(BALL, solid=SOLID | {"center": [1, 0, 0], "scale": 1e-20})
    assert "float64" in facts["notice"]


def test_variables_are_those_of_the_page_then_of_the_shape() -> None:
    ring = circle(ivm.var("r", 0.5)) - circle(ivm.var("hole", 0.2))
    scene = Scene(ring, "ring.py", {"hole": 0.1})
    assert scene.variables == {"r": 0.5, "hole": 0.1}
    assert scene.facts()["variables"] == [
        {"name": "r", "value": 0.5, "low": 0.0, "high": 1.0},
        {"name": "hole", "value": 0.1, "low": 0.0, "high": 0.2},
    ]
    request = parse(json.dumps(a_view(size=list(SIZE), variables={"r": 0.75, "gone": 1})))
    assert isinstance(request, View)
    found = scene.draw(request, request.size, lambda *_: None)
    image = rendered(ring, variables={"r": 0.75, "hole": 0.1})
    np.testing.assert_array_equal(bits_of(found.facts, found.payload), [image.pixels == 255])


def test_a_variable_without_a_value_has_one() -> None:
    scene = Scene(ivm.parse("x var-x\nr var-r\nv sub x r\n"), "half.vm")
    assert scene.variables == {"r": UNSET}
    zero, below = (
        Scene(circle(ivm.var("r", 0.0)), "").facts(),
        Scene(circle(ivm.var("r", -2.0)), ""),
    )
    assert zero["variables"][0] | {"name": ""} == {"name": "", "value": 0.0, "low": -1, "high": 1}
    assert below.facts()["variables"][0]["low"] == -4.0


@pytest.mark.parametrize(
    ("shape", "kind", "bounds"),
    [
        (rectangle(2, 4), "plane", [(-1, 1), (-2, 2)]),
        (rectangle(2, 4).extrude(6), "solid", [(-1, 1), (-2, 2), (-3, 3)]),
        (~circle(1), "plane", None),
        (circle(1) & circle(1).move(5), "plane", None),
    ],
)
def test_facts_of_a_shape(shape: Shape, kind: str, bounds: Any) -> None:
    scene = Scene(shape, "shape.py")
    assert scene.facts()["bounds"] is None
    scene.prepare()
    facts = scene.facts()
    assert (facts["name"], facts["kind"], facts["painted"]) == ("shape.py", kind, False)
    assert facts["clauses"] == len(shape.tape())
    if bounds is None:
        assert facts["bounds"] is None
    else:
        np.testing.assert_allclose(facts["bounds"], bounds, atol=0.1)  # a share of the size
    assert Scene(PARTS, "").facts()["painted"] is True


def test_a_drawing_ends_by_its_progress() -> None:
    class End(Exception):
        pass

    def end(*_: int) -> None:
        raise End

    request = parse(json.dumps(a_view(size=[1024, 1024], solid=SOLID)))
    assert isinstance(request, View)
    with pytest.raises(End):
        Scene(ivm.load(TOP / "prospero3d.vm"), "").draw(request, request.size, end)


@pytest.mark.parametrize(
    ("default", "shown"),
    [(math.nan, UNSET), (math.inf, 1e300), (-math.inf, -1e300), (1.7e308, 1e300)],
)
def test_a_default_that_no_page_can_ask_for_is_told_as_the_nearest(
    default: float, shown: float
) -> None:
    scene = Scene(circle(0.5) - circle(1).move(ivm.var("a", default)), "")
    told = scene.facts()["variables"][0]
    assert told["value"] == shown
    assert json.dumps(told, allow_nan=False)
    assert told["low"] < told["high"]
