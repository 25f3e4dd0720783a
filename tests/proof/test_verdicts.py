"""Proven pixels: no verdict is false about any real point, and three values stay three.

Where nothing else is said the engine is the dense one, the reference of the others.
"""

from __future__ import annotations

import io
import pickle
import tracemalloc
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import reals
from support.operations import OPERATIONS, tape_of
from support.real_points import FEW, TRANSCENDENTAL, real_value
from support.strategies import shapes, tapes

import intervalvm as ivm
from intervalvm import DoesNotFit, Image, OptionError, Region, Tape
from intervalvm.api.options import PROVES, Options
from intervalvm.arith.directed import DirectedArrays
from intervalvm.evaluate import decorated
from intervalvm.jit.layout import INSIDE, OUTSIDE, UNPROVEN
from intervalvm.raster import bands
from intervalvm.raster.grid import GRIDS, coordinates, edges

X, Y, Z = ivm.axes()
RATIONAL = [op for op in reals.VALUE if op not in ("sqrt", "rand", "mix", *TRANSCENDENTAL)]
"""Operations whose values are exact however long the tape."""
MARKS = {OUTSIDE: ".", INSIDE: "#", UNPROVEN: "?"}


ENGINES: dict[str, dict[str, Any]] = {
    "dense": {"engine": "dense"},
    "numpy": {"engine": "pruned", "backend": "numpy"},
    "numba": {"engine": "pruned", "backend": "numba"},
}


def proven(tape: Any, prove: str = "area", **options: Any) -> Image:
    given = {"size": 8, "engine": "dense", "grid": "center"} | options
    return ivm.render(tape, prove=prove, **given)


def marks(image: Image) -> list[str]:
    return ["".join(MARKS[pixel] for pixel in row) for row in image.pixels]


@pytest.mark.parametrize("engine", ENGINES)
def test_over_points_every_pixel_of_a_disc_is_proven(engine: str) -> None:
    assert marks(proven(X * X + Y * Y - 0.5, "point", **ENGINES[engine])) == [
        "........",
        "...##...",
        "..####..",
        ".######.",
        ".######.",
        "..####..",
        "...##...",
        "........",
    ]


def test_over_areas_the_edge_of_a_disc_is_not() -> None:
    assert marks(proven(X * X + Y * Y - 0.5)) == [
        "........",
        "..????..",
        ".??##??.",
        ".?####?.",
        ".?####?.",
        ".??##??.",
        "..????..",
        "........",
    ]


def test_undefined_is_outside_and_partly_undefined_is_not_inside() -> None:
    assert row(ivm.sqrt(X) - 2, 8) == "...?####", "0 has a root"
    assert row(ivm.sqrt(X) - 2, 7) == "...?###"
    assert row(ivm.sqrt(X), 8) == "........"
    assert row(1 / X - 9, 5, "point") == "##.##", "0 has no reciprocal"
    assert row(X * float("nan"), 3, "point") == "..."
    assert row(X - float("inf"), 3) == "...", "infinity is no number"


def test_the_pruned_engine_proves_a_little_less() -> None:
    """Its bounds are wider by a float, and it does not tell what is nowhere defined."""
    for engine in ("numpy", "numba"):
        options = ENGINES[engine]
        assert marks(proven(X * X + Y * Y - 0.5, **options))[1:3] == [".??????.", ".??##??."]
        assert row(1 / X - 9, 5, "point", **options) == "##?##"
        assert row(X * float("nan"), 3, "point", **options) == "???"
        assert row(ivm.sqrt(X), 8, **options) == "........"
    assert row(ivm.sqrt(X) - 2, 8, **ENGINES["numpy"]) == "????####"
    assert row(ivm.sqrt(X) - 2, 8, **ENGINES["numba"]) == "...?####", "it asks x > 0"


def row(tape: Any, width: int, prove: str = "area", **options: Any) -> str:
    """Of x from -1 to 1."""
    image = proven(tape, prove, size=(width, 1), region=Region((-1, 1), (0, 1)), **options)
    return marks(image)[0]


def test_areas_are_closed() -> None:
    """At their common edge x is 0, which is outside."""
    assert row(X, 4) == "#?.."


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_verdict_is_about_real_numbers_where_floats_are_wrong(dtype: str) -> None:
    """x + 1 - 1 is x, but in floats 0 for a small x: exact mode calls it outside, rightly so."""
    small = Region((-1e-30, -1e-31), (0, 1))
    tape = (X + 1) - 1
    exact = ivm.render(tape, size=4, region=small, engine="dense", dtype=dtype)
    assert not exact.pixels.any()
    for prove in PROVES:
        found = proven(tape, prove, size=4, region=small, dtype=dtype)
        assert (found.pixels == UNPROVEN).all()
        assert found.stats.pixels["unproven"] == 16


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("prove", PROVES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@settings(max_examples=60)
@given(data=st.data())
def test_no_verdict_is_false(prove: str, dtype: str, engine: str, data: st.DataObject) -> None:
    """Of tapes whose real values are exact, at the pixel's sample or anywhere in its area."""
    tape = data.draw(tapes(max_clauses=12, ops=RATIONAL) | shapes().filter(is_rational))
    grid, region = data.draw(st.sampled_from([*GRIDS])), data.draw(regions())
    size = data.draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    options = ENGINES[engine] | {"size": size, "region": region, "grid": grid, "dtype": dtype}
    image = proven(tape, prove, **options)
    x, y = coordinates(region, *size, grid, dtype)
    across, down = edges(region, *size, grid, dtype)
    parts = data.draw(st.lists(st.tuples(*[st.integers(0, 4)] * 2), min_size=3, max_size=3))
    for row, column in np.ndindex(*image.pixels.shape):
        for part_x, part_y in parts if prove == "area" else [(0, 0)]:
            if prove == "area":
                at = (
                    between(across[column : column + 2], part_x),
                    between(down[row : row + 2], part_y),
                )
            else:
                at = Fraction(float(x[column])), Fraction(float(y[row]))
            assert_true(image.pixels[row, column], real_value(tape, [*at, Fraction(0)]))


def is_rational(tape: Tape) -> bool:
    used = {line.split()[1] for line in str(tape).splitlines()}
    return used <= {*RATIONAL, "const", "var-x", "var-y", "var-z"}


@st.composite
def regions(draw: st.DrawFn) -> Region:
    size = draw(st.sampled_from([1e-40, 1e-3, 1.0, 1e20]))
    x, y = (draw(st.floats(-2, 2)) * size for _ in "xy")
    return Region((x, x + size), (y, y + size))


def between(ends: Any, part: int) -> Fraction:
    first, last = (Fraction(float(end)) for end in ends)
    return first + (last - first) * part / 4


def assert_true(pixel: int, value: Any) -> None:
    is_inside = value is not None and value < 0
    assert pixel != INSIDE or is_inside
    assert pixel != OUTSIDE or not is_inside


@pytest.mark.parametrize("grid", GRIDS)
@FEW
@given(tape=tapes() | shapes())
def test_an_area_and_the_sample_in_it_do_not_contradict(grid: str, tape: Tape) -> None:
    points, areas = (proven(tape, prove, size=6, grid=grid).pixels for prove in PROVES)
    assert not ((areas == INSIDE) & (points == OUTSIDE)).any()
    assert not ((areas == OUTSIDE) & (points == INSIDE)).any()


@FEW
@given(tape=tapes(variables=("a",)))
def test_freeing_values_changes_nothing(tape: Tape) -> None:
    dtype = np.dtype(np.float32)
    xp = DirectedArrays(dtype)
    ends = np.linspace(-2, 2, 7)
    x = decorated.given(xp, ends[:-1], ends[1:])
    y = decorated.given(xp, ends[:-1, None], ends[1:, None])
    one = decorated.given(xp, np.float64(1), np.float64(1))
    given = tape, {"var-x": x, "var-y": y, "var-z": one}, [one] * len(tape.variables), dtype
    for kept, freed in zip(
        decorated.bounds(*given)[-1], decorated.root_bounds(*given), strict=True
    ):
        np.testing.assert_array_equal(kept, freed)


@pytest.mark.parametrize("engine", ENGINES)
def test_variables_and_z_are_the_numbers_that_were_given(engine: str) -> None:
    """As real numbers 0.3 - 0.1 is less than 0.2, if each is its float64."""
    tape = ivm.var("a") - 0.1 + Z
    for a, z, mark in ((0.1, 0.0, "."), (0.1, -1e-300, "#"), (0.3, -0.2, "#")):
        options = ENGINES[engine] | {"variables": {"a": a}, "dtype": "float64"}
        assert marks(proven(tape, size=1, z=z, **options)) == [mark]


@pytest.mark.parametrize("prove", PROVES)
def test_bands_change_nothing(prove: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tape = ivm.sin(7 * X) + ivm.cos(9 * Y) * X
    whole = proven(tape, prove, size=(50, 40))
    monkeypatch.setattr(bands, "BAND_PX", 151)
    done: list[tuple[int, int]] = []
    cut = proven(tape, prove, size=(50, 40), progress=lambda *both: done.append(both))
    np.testing.assert_array_equal(cut.pixels, whole.pixels)
    assert done == [(150 * n, 2000) for n in range(1, 14)] + [(2000, 2000)]
    np.testing.assert_array_equal(
        proven(tape, prove, size=(50, 40), max_memory=100_000).pixels, whole.pixels
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("op", OPERATIONS)
def test_an_operation_takes_no_more_memory_than_is_reckoned(op: str, dtype: str) -> None:
    options = {"prove": "area", "engine": "dense", "dtype": dtype}
    job = Options(size=200, **options).job(tape_of(op), None)
    bands.draw(job, None)  # what is imported and kept on the way is not counted
    tracemalloc.start()
    try:
        bands.draw(job, None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= bands.band_bytes(job, 200) + job.image_bytes


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(DoesNotFit, match="make it narrower"):
        proven(X, size=1000, max_memory=1_100_000)


# options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prove": "pixel"}, "prove='pixel': choose 'point' or 'area'"),
        ({"prove": "area", "mode": "value"}, "prove='area' with mode='value': proven pixels have"),
        ({"prove": "point", "mode": "value"}, "with mode='value': proven pixels have no"),
        ({"prove": "point", "engine": "naive"}, "with engine='naive': choose 'pruned'"),
        ({"prove": "point", "backend": "cupy"}, "with backend='cupy': choose 'numba'"),
        ({"prove": "point", "fold": "fast"}, "with fold='fast': it changes values"),
    ],
)
def test_options_that_do_not_go_together(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        ivm.render(X, **{"size": 4, "engine": "dense"} | options)


def test_nothing_is_proven_without_being_asked_for() -> None:
    assert ivm.render(X, size=4, engine="dense", prove="point").prove == "point"
    assert ivm.render(X, size=4, engine="dense").prove is None


def test_a_renderer_takes_the_same_options() -> None:
    renderer = ivm.Renderer(X * X + Y * Y - 0.5, engine="dense", prove="point", size=8)
    found = renderer.render(prove="area", grid="center")
    np.testing.assert_array_equal(found.pixels, proven(X * X + Y * Y - 0.5).pixels)


# what becomes of the image


def disc() -> Image:
    return proven(X * X + Y * Y - 0.5, size=20)


def test_stats_count_three_kinds() -> None:
    image = disc()
    counts = {
        int(p): int(n) for p, n in zip(*np.unique(image.pixels, return_counts=True), strict=True)
    }
    stats = image.stats
    assert stats.pixels["inside"] == counts[255]
    assert stats.pixels["unproven"] == counts[128]
    assert (stats.pixels["total"], stats.prove) == (400, "area")
    assert f"proven over each pixel's area, but for {counts[128]} unproven" in str(stats)
    assert stats.as_json()["prove"] == "area"
    exact = ivm.render(X, size=4, engine="dense").stats
    assert "prove" not in exact.as_json()
    assert "unproven" not in exact.pixels
    assert "proven" not in str(exact)


@pytest.mark.parametrize("suffix", ["png", "pgm", "ppm", "tif", "webp", "npy"])
def test_files_hold_three_values(suffix: str, tmp_path: Path) -> None:
    image, path = disc(), tmp_path / f"disc.{suffix}"
    image.save(path)
    if suffix == "npy":
        found = np.load(path)
    else:
        with PIL.Image.open(path) as picture:
            found = np.asarray(picture.convert("L"))
    np.testing.assert_array_equal(found, image.pixels)


def test_a_bit_is_too_little(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"a .pbm holds two values.*choose .pgm or .png"):
        disc().save(tmp_path / "disc.pbm")
    assert not any(tmp_path.iterdir())


def test_a_notebook_shows_three_values() -> None:
    image = disc()
    with PIL.Image.open(io.BytesIO(image._repr_png_())) as picture:
        np.testing.assert_array_equal(np.asarray(picture), image.pixels)
    assert repr(image) == "<Image 20x20, bitmap proven over each area, x -1..1, y -1..1>"


def test_a_proven_image_travels_as_one() -> None:
    again = pickle.loads(pickle.dumps(disc()))
    assert (again.prove, again.stats.prove) == ("area", "area")
    np.testing.assert_array_equal(again.bitmap(), disc().pixels)
