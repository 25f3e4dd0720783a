"""The compiled walk gives the pixels of dense evaluation, whatever the tape, size and region."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scenes import blends, scenes
from support.strategies import tapes

import intervalvm as ivm
from fuzz.checks import bits
from intervalvm import Region, Renderer, parse, render
from intervalvm.jit import plan
from intervalvm.jit.plan import domain_of
from intervalvm.ops import ROWS
from intervalvm.tape import Tape

DTYPES = ["float32", "float64"]
dtypes = pytest.mark.parametrize("dtype", DTYPES)
INPUTS = {"const", "var-x", "var-y"}
OPERATIONS = {op.name for op in ROWS if not op.is_input} | INPUTS
XY = "x var-x\ny var-y\n"
REGIONS = [
    None,
    Region((-1e6, 1e6), (3.0, 5.0)),
    Region((1e6, 1.001e6), (-1e6, -0.999e6)),
    Region((-1e20, 1e20), (-1e20, 3e20)),
    Region((1e20, 2e20), (-1e-30, 1e-30)),
    Region((-1e-30, 2e-30), (-1e-40, 1e-40)),
    Region((0.0, 4.0), (-4.0, 0.0)),
    Region((-3e38, 1.0), (-1e19, 1e19)),
]


def same(tape: Tape, *, dtype: str, mode: str = "bitmap", **options: Any) -> None:
    """Pruned is dense: bit for bit."""
    found = render(tape, dtype=dtype, mode=mode, **options)
    dense = {k: v for k, v in options.items() if k not in ("threads", "depth")}
    expected = render(tape, dtype=dtype, mode=mode, engine="dense", **dense).pixels
    assert found.stats.pixels["inside"] == np.count_nonzero(
        expected if mode == "bitmap" else expected < 0
    )
    same_bits = (
        (found.pixels, expected) if mode == "bitmap" else map(bits, (found.pixels, expected))
    )
    np.testing.assert_array_equal(*same_bits)


@st.composite
def pictures(draw: st.DrawFn) -> dict[str, Any]:
    """Options of ``render``."""
    sizes = st.sampled_from([1, 7, 16, 33, 64, 100])
    size = draw(sizes | st.tuples(sizes, sizes))
    longer = size if isinstance(size, int) else max(size)
    return {
        "size": size,
        "depth": draw(st.none() | st.integers(0, longer.bit_length() - 1)),
        "dtype": draw(st.sampled_from(DTYPES)),
        "mode": draw(st.sampled_from(["bitmap", "bitmap", "value"])),
        "threads": draw(st.integers(1, 3)),
        "region": draw(st.none() | st.sampled_from(REGIONS)),
    }


@given(tapes(30, ops=OPERATIONS), pictures())
def test_random_tapes_give_the_dense_picture(tape: Tape, picture: dict[str, Any]) -> None:
    same(tape, **picture)


@given(tapes(60, ops={"min", "max", "add", "sub", "mul", "neg", *INPUTS}), pictures())
def test_choices_between_axis_terms_and_constants(tape: Tape, picture: dict[str, Any]) -> None:
    same(tape, **picture)


@given(tapes(40, ops={"min", "max", "sqrt", "div", "recip", "and", "or", *INPUTS}), pictures())
def test_regions_with_nan(tape: Tape, picture: dict[str, Any]) -> None:
    same(tape, **picture)


@given(scenes(), pictures())
def test_scenes_give_the_dense_picture(tape: Tape, picture: dict[str, Any]) -> None:
    same(tape, **picture)


@given(blends(), pictures())
def test_blends_give_the_dense_picture(tape: Tape, picture: dict[str, Any]) -> None:
    """Where floats absorb far terms."""
    same(tape, **picture)


@given(tapes(40, ops={"exp", "add", "sub", "mul", "max", "recip", "neg", *INPUTS}), pictures())
def test_sums_that_absorb_terms(tape: Tape, picture: dict[str, Any]) -> None:
    """The sign of a zero shows in its reciprocal."""
    same(tape, **picture)


def test_far_parts_of_a_blend_are_left_out() -> None:
    """By min and max alone twice as many clauses stay, or all."""
    places = [(x / 4, y / 4) for x in range(-3, 4) for y in range(-3, 4)]
    balls = [ivm.shapes.circle(0.1).move(*place) for place in places]
    x, y, _ = ivm.axes()
    powers = [ivm.exp(-64 * (ivm.sqrt((x - a) ** 2 + (y - b) ** 2) - 0.1)) for a, b in places]
    for shape, part in (
        (ivm.shapes.smooth_union(*balls, radius=0.05), 1 / 15),
        (-ivm.ln(sum(powers[1:], powers[0])) / 64, 1 / 2),
    ):
        levels = render(shape, size=1024).stats.levels
        assert levels[-1].mean_clauses < part * len(shape.tape())


@given(scenes(), pictures())
def test_children_put_off_until_there_is_room(tape: Tape, picture: dict[str, Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "MOST_ARENA", 0)
        same(tape, **picture | {"size": 130, "depth": 7})


@given(scenes(), pictures(), st.data())
def test_frames_of_a_renderer_give_the_dense_picture(
    tape: Tape, picture: dict[str, Any], data: st.DataObject
) -> None:
    picture.pop("region")
    frames = Renderer(tape, **picture)
    del picture["threads"], picture["depth"]
    centre, scale = data.draw(st.tuples(*[st.floats(-2, 2)] * 2)), 1.0
    for _ in range(data.draw(st.integers(1, 4))):
        region = Region.around(centre, scale)
        found = frames.render(region=region).pixels
        expected = render(tape, engine="dense", region=region, **picture).pixels
        np.testing.assert_array_equal(found < 0, expected < 0)
        if picture["mode"] == "bitmap":
            np.testing.assert_array_equal(found, expected)
        centre = centre[0] + data.draw(st.floats(-0.5, 0.5)) * scale, centre[1]
        scale *= data.draw(st.sampled_from([0.1, 0.5, 0.9, 1.0, 1.1, 4.0]))


def test_few_children_at_a_time_are_as_many_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    text = XY + "v const 9\n" + "".join(
        f"a{i} const {np.sin(i)}\nb{i} const {np.cos(7 * i)}\nc{i} sub x a{i}\nd{i} sub y b{i}\n"
        f"e{i} square c{i}\nf{i} square d{i}\ng{i} add e{i} f{i}\nh{i} const 0.005\n"
        f"i{i} sub g{i} h{i}\nj{i} min {f'j{i - 1}' if i else 'v'} i{i}\n"
        for i in range(100)
    )  # fmt: skip
    plenty = render(parse(text), size=256, depth=8, threads=1)
    monkeypatch.setattr(plan, "MOST_ARENA", 0)
    for threads in (1, 2, 3):
        tight = render(parse(text), size=256, depth=8, threads=threads)
        np.testing.assert_array_equal(tight.pixels, plenty.pixels)
        assert tight.stats.levels == plenty.stats.levels
        assert tight.stats.pixels == plenty.stats.pixels
    same(parse(text), size=256, depth=8, dtype="float32")


@pytest.mark.parametrize("largest", [16.0, 64.0, 256.0, 1024.0, 4.0**20, 1e-300, 1e300])
def test_the_domain_holds_every_coordinate(largest: float) -> None:
    for end in (largest, np.nextafter(largest, np.inf), np.nextafter(largest, 0)):
        assert domain_of((-end, 0.0, 0.0, 0.0), np.dtype(np.float64)) >= end


def test_no_nan_is_missed_just_beyond_a_power_of_four() -> None:
    tape = parse(XY + "k const 256\na sub k x\nb sqrt a\nm const -1\nv min b m")
    region = Region((0.0, float(np.nextafter(256.0, np.inf))), (0.0, 1.0))
    same(tape, size=8, dtype="float64", region=region)


def test_a_region_near_the_largest_float() -> None:
    tape = parse(XY + "k const 1e308\nv sub x k")
    same(tape, size=16, dtype="float64", region=Region((0.0, 1.7e308), (0.0, 1.0)))


@dtypes
@pytest.mark.parametrize("mode", ["bitmap", "value"])
@pytest.mark.parametrize(
    "text",
    [
        "v const -1",
        "v const 0",
        "v const nan",
        "v const -inf",
        "v var-x",
        "v var-y",
        "x var-x\nv neg x",
        "x var-x\nk const inf\nv sub x k",
        "x var-x\nk const -inf\nv sub x k",
        "x var-x\nv square x",
        "x var-x\nk const 9\na square x\nv sub a k",
        "x var-x\nk const -9\nv min x k",
        "x var-x\nk const -9\nv max x k",
        "x var-x\nk const -0.5\nv min x k",
        "y var-y\nk const -0.5\nv max k y",
        XY + "v min x y",
        XY + "v max x y",
        XY + "a neg y\nb min x a\nc max x y\nv sub b c",
        XY + "k const 0.25\na min x k\nb max k y\nc mul a b\nd min c x\nv max d b",
        XY + "a sqrt x\nb sqrt y\nc min a b\nk const 0.5\nv sub c k",
        XY + "a div x x\nb div y y\nc max a b\nk const 2\nv sub c k",
    ],
)
def test_small_tapes(text: str, mode: str, dtype: str) -> None:
    for size in (1, 16, 33, 130):
        same(parse(text), size=size, mode=mode, dtype=dtype)


# --- the dtype ------------------------------------------------------------------------------------


def test_no_dtype_is_the_default_one() -> None:
    """To NumPy None would be float64."""
    tape, sides = parse("x var-x\nk const 0.1\na mul x k\nb sin a"), {"x": (0, 1), "y": (0, 1)}
    (result,) = {ivm.evaluate(tape, 0.3, 0, dtype=dtype).tobytes() for dtype in (None, "float32")}
    assert len(result) == 4
    assert ivm.interval(tape, **sides, dtype=None) == ivm.interval(tape, **sides)
    assert ivm.fold(tape, dtype=None) == ivm.fold(tape)
    assert ivm.grad(tape, 0.3, 0, dtype=None).value.dtype == np.float32
    for engine in ("pruned", "dense"):
        image = render(tape, size=4, dtype=None, mode="value", engine=engine)
        assert image.pixels.dtype == np.float32
    assert Renderer(tape, dtype=None, mode="value").render(size=4).pixels.dtype == np.float32
    assert ivm.prove(tape, resolution=8, dtype=None).image.stats.dtype == "float64"
