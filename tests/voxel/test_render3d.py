"""Pictures of solids: depth, normals and positions are those of the definition, voxel by voxel."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.solids import solids
from support.strategies import shapes as any_shapes
from support.strategies import tapes
from support.views import depth_of, solid_pictures

import intervalvm as ivm
from intervalvm import OptionError, View, shapes
from intervalvm.voxel import dense
from intervalvm.voxel.linear import normalised

X, Y, Z = ivm.axes()
BALL = shapes.sphere(0.7)
TAPES = any_shapes() | solids() | tapes(max_clauses=25)


@given(tape=TAPES, options=solid_pictures())
def test_depth_is_that_of_every_voxel(tape: ivm.Tape, options: dict[str, Any]) -> None:
    image = ivm.render3d(tape, **options)
    assert image.depth.dtype == np.int32
    assert_array_equal(image.depth, depth_of(tape, image.volume))


@given(tape=TAPES, options=solid_pictures())
def test_normals_are_gradients_at_positions(tape: ivm.Tape, options: dict[str, Any]) -> None:
    image = ivm.render3d(tape, **options)
    hit, dtype = image.depth > 0, options["dtype"]
    assert image.position.dtype == dtype
    assert image.normals.dtype == np.float32
    assert_array_equal(np.isnan(image.position).any(axis=-1), ~hit)
    assert not image.normals[~hit].any()
    points = image.position[hit].T
    assert (ivm.evaluate(tape, *points, dtype=dtype) < 0).all()
    gradient = ivm.grad(tape, *points, dtype=dtype, backend="numpy")
    slopes = np.array([np.broadcast_to(slope, points[0].shape) for slope in gradient[1:]])
    expected = normalised(slopes).T.astype(np.float32)
    expected[image.depth[hit] == options["size"][2]] = image.volume.near_normal
    assert_array_equal(image.normals[hit], expected)


@given(tape=TAPES, options=solid_pictures(st.integers(1, 9)), together=st.integers(1, 50))
def test_slabs_change_nothing(tape: ivm.Tape, options: dict[str, Any], together: int) -> None:
    image = ivm.render3d(tape, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense, "TOGETHER", together)
        other = ivm.render3d(tape, **options | {"engine": "dense"})
    assert_array_equal(other.depth, image.depth)
    assert other.normals.tobytes() == image.normals.tobytes()


# --- normals --------------------------------------------------------------------------------------

VECTORS = st.lists(st.floats(width=64), min_size=3, max_size=3)


@given(vector=VECTORS)
def test_normalised_vectors_have_length_1_whatever_their_size(vector: list[float]) -> None:
    found = normalised(np.array(vector))
    if not all(map(math.isfinite, vector)) or not any(vector):
        assert_array_equal(found, [0, 0, 0])
        return
    assert math.hypot(*found) == pytest.approx(1, abs=1e-15)
    _, exponent = math.frexp(max(map(abs, vector)))
    scaled = [math.ldexp(part, -exponent) for part in vector]
    expected = [part / math.hypot(*scaled) for part in scaled]
    np.testing.assert_allclose(found, expected, rtol=1e-15, atol=5e-324)  # hypot rounds otherwise


def test_a_kink_has_the_normal_of_grad() -> None:
    """Where both sides are equally far, those of the branch that ``grad`` takes."""
    tube = ivm.maximum(abs(X), abs(Z)) - 0.5
    image = ivm.render3d(tube, size=5)
    assert_array_equal(image.depth[2], [0, 4, 4, 4, 0])
    x, y, z = image.position[2, 1:4].T
    assert_array_equal(np.abs(x), [z[0], 0, z[0]], "two of them are at an edge")
    _, *slopes = ivm.grad(tube, x, y, z)
    assert_array_equal(image.normals[2, 1:4], np.array(slopes).T)


def test_a_gradient_without_direction_has_no_normal() -> None:
    steps = ivm.render3d(ivm.floor(Z) + 0.5 + 0 * X, size=4)  # 0 between its jumps
    assert (steps.depth == 2).all()
    assert not steps.normals.any()


@pytest.mark.parametrize("engine", ["pruned", "dense"])
@pytest.mark.parametrize("slope", [5e-324, 1e-310, 1e-300, 1e300])
def test_a_gradient_of_any_size_has_a_normal(engine: Any, slope: float) -> None:
    image = ivm.render3d(Z * slope + 0 * X, size=4, engine=engine, dtype="float64")
    assert_array_equal(image.normals, np.broadcast_to([0, 0, 1], (4, 4, 3)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normals_where_branches_meet_are_settled(dtype: Any) -> None:
    """A slope of one branch alone is left nowhere, nor where both together have none."""
    flat = ivm.minimum(-X, X) + abs(X)
    for solid in (flat + ivm.floor(4 * Z) + 0.5, ivm.maximum(X, -X) + abs(Z) - 0.6 + flat):
        dense, pruned = (
            ivm.render3d(solid, size=33, dtype=dtype, engine=engine)
            for engine in ("dense", "pruned")
        )
        assert_array_equal(pruned.depth, dense.depth)
        assert_array_equal(pruned.normals, dense.normals)
        assert pruned.depth[:, 16].any(), "branches meet at what is seen"


# --- the near side, NaN, nothing, prisms ----------------------------------------------------------


def test_what_the_near_side_cuts_has_its_normal() -> None:
    image = ivm.render3d(BALL, size=16, view=View.turntable(90, scale=0.5))
    middle = image.depth[8, 8]
    assert middle == 16
    assert_array_equal(image.normals[8, 8], [1, 0, 0])
    full = image.depth == 16
    assert image.stats.voxels["full"] == full.sum() > 0
    assert_array_equal(np.unique(image.normals[full], axis=0), [[1, 0, 0]])


def test_a_full_volume_is_its_near_side() -> None:
    view = View.turntable(30, 20, perspective=0.5)
    image = ivm.render3d(X * 0 - 1, size=(6, 4, 5), view=view)
    assert (image.depth == 5).all()
    assert_array_equal(image.normals, np.broadcast_to(image.volume.near_normal, (4, 6, 3)))


def test_nan_is_outside() -> None:
    image = ivm.render3d(ivm.sqrt(Z) * 0 - 1 + 0 * X, size=(3, 3, 5))
    assert (image.depth == 5).all()
    behind = ivm.render3d(ivm.sqrt(0 - Z) * 0 - 1 + 0 * X, size=(3, 3, 5))
    assert (behind.depth == 3).all(), "NaN before what is inside hides nothing"
    assert not ivm.render3d(ivm.constant(math.nan) + X, size=4).depth.any()


@pytest.mark.parametrize("mode", ["shaded", "normals", "heightmap", "occlusion"])
def test_an_empty_picture(mode: Any) -> None:
    image = ivm.render3d(X * 0 + 1, size=(5, 3, 2), mode=mode)
    assert not image.depth.any()
    assert not image.normals.any()
    assert np.isnan(image.position).all()
    assert image.pixels.shape == (3, 5, 3)
    assert image.stats.voxels == {"hit": 0, "full": 0, "evaluated": 0, "total": 30}
    dense_image = ivm.render3d(X * 0 + 1, size=(5, 3, 2), mode=mode, engine="dense")
    assert dense_image.stats.voxels == {"hit": 0, "full": 0, "evaluated": 30, "total": 30}
    assert_array_equal(image.pixels, dense_image.pixels)


def test_a_single_voxel() -> None:
    image = ivm.render3d(BALL, size=1)
    assert image.depth.tolist() == [[1]]
    assert_array_equal(image.position, [[[0, 0, 0]]])


def test_a_shape_of_the_plane_is_a_prism_and_that_is_said() -> None:
    image = ivm.render3d(shapes.circle(0.5), size=8)
    assert_array_equal(
        image.depth > 0, ivm.render(shapes.circle(0.5), size=8, grid="center").pixels > 0
    )
    assert (image.depth[image.depth > 0] == 8).all(), "it goes through the near side"
    assert image.stats.is_prism
    assert "a prism: the tape does not read z" in str(image.stats)
    assert image.stats.as_json()["is_prism"] is True
    side = ivm.render3d(shapes.circle(0.5), size=8, view=View.turntable(90))
    assert (side.depth[:, 0] == side.depth[:, -1]).all(), "and has no ends"
    assert not ivm.render3d(BALL, size=2).stats.is_prism


def test_a_truth_is_drawn_where_it_holds() -> None:
    image = ivm.render3d((X**2 + Y**2 + Z**2) < 0.5, size=9)
    assert_array_equal(image.depth, ivm.render3d(X**2 + Y**2 + Z**2 - 0.5, size=9).depth)


def test_variables_have_values_and_defaults() -> None:
    shape = shapes.sphere(ivm.var("r", 0.5))
    whole = ivm.render3d(shapes.sphere(0.9), size=9).depth
    assert_array_equal(ivm.render3d(shape, size=9, variables={"r": 0.9}).depth, whole)
    assert (ivm.render3d(shape, size=9).depth > 0).sum() < (whole > 0).sum()
    with pytest.raises(ivm.VariableError, match="r"):
        ivm.render3d(ivm.var("r") + X, size=2)


# --- turns ----------------------------------------------------------------------------------------


def test_a_turned_view_shows_the_other_sides() -> None:
    """A mark on the right side is seen in front after a yaw of 90 degrees."""
    mark = shapes.sphere(0.2).move(0.7, 0, 0)
    front = ivm.render3d(mark, size=17)
    right = ivm.render3d(mark, size=17, view=View.turntable(90))
    assert front.depth[8, 14] > 0 == front.depth[8, 8]
    assert right.depth[8, 8] > front.depth[8, 14]
    raised = shapes.sphere(0.2).move(0, 0.7, 0)
    assert ivm.render3d(raised, size=17).depth[2, 8] > 0, "up is up"
    assert ivm.render3d(raised, size=17, view=View.turntable(0, 90)).depth[8, 8] > 9
    assert ivm.render3d(raised, size=17, view=View.turntable(up="z")).depth[8, 8] < 9


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"grid": "linspace"}, "no grid 'linspace': choose 'center' or 'fidget'"),
        ({"mode": "shadde"}, "no mode 'shadde'.*occlusion"),
        ({"mode": None}, "no mode None"),
        ({"engine": "naive"}, "no engine 'naive'"),
        ({"threads": 0}, "threads=0"),
        ({"dtype": "int8"}, "dtype 'int8'"),
        ({"max_memory": "much"}, "not an amount of memory"),
    ],
)
def test_options_that_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        ivm.render3d(BALL, **{"size": 4, **options})


def test_types_that_are_refused() -> None:
    with pytest.raises(
        ivm.ArgumentTypeError, match=r"give a View, as in View\.turntable\(30, 20\)"
    ):
        ivm.render3d(BALL, size=4, view=np.eye(4))  # type: ignore[arg-type]
    with pytest.raises(ivm.ArgumentTypeError, match="progress"):
        ivm.render3d(BALL, size=4, progress=3)  # type: ignore[arg-type]
    with pytest.raises(ivm.ArgumentTypeError, match="expected a tape"):
        ivm.render3d("ball", size=4)  # type: ignore[arg-type]
    with pytest.raises(ivm.ArgumentTypeError, match=r"yaw=.*write view=View\.turntable\(yaw"):
        ivm.render3d(BALL, yaw=30)  # type: ignore[call-arg]


@pytest.mark.parametrize("size", [10**5 * 4, (2**31 - 1, 1, 1), (1, 1, 2**31 - 1)])
def test_what_does_not_fit_is_refused_before_it_starts(size: Any) -> None:
    def never(*_: int) -> None:
        raise AssertionError

    with pytest.raises(ivm.DoesNotFit, match="make it smaller"):
        ivm.render3d(BALL, size=size, max_memory="1G", progress=never)


def test_max_memory_is_that_of_planning_and_of_all_threads_too() -> None:
    long = sum((X * k - Y) * Z for k in range(1000)) - 0.5
    with pytest.raises(ivm.DoesNotFit, match="making the tape ready"):
        ivm.render3d(long, size=8, threads=1, max_memory="4M")
    ivm.render3d(long, size=8, threads=1, max_memory="40M")
    with pytest.raises(ivm.DoesNotFit, match="use fewer threads"):
        ivm.render3d(long, size=8, threads=40, max_memory="40M")


def test_max_memory_allows_what_fits() -> None:
    image = ivm.render3d(BALL, size=32, threads=1, max_memory="400K")
    assert_array_equal(image.depth, ivm.render3d(BALL, size=32).depth)
    with pytest.raises(ivm.DoesNotFit):
        ivm.render3d(BALL, size=32, max_memory="20K")


@pytest.mark.parametrize("engine", ["pruned", "dense"])
def test_progress_goes_on_to_the_end_and_may_interrupt(engine: Any) -> None:
    seen: list[tuple[int, int]] = []
    note = lambda done, total: seen.append((done, total))  # noqa: E731
    ivm.render3d(BALL, size=128, progress=note, engine=engine, threads=1)
    assert len(seen) >= 2
    done, total = seen[-1]
    assert done == total
    assert seen == sorted(seen)

    class Stop(Exception):
        pass

    def stop(*_: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        ivm.render3d(BALL, size=128, progress=stop, engine=engine)
    assert ivm.render3d(BALL, size=128, engine=engine).depth[64, 64] > 64, "others are not harmed"


# --- the picture ----------------------------------------------------------------------------------


def test_pixels_of_each_mode() -> None:
    shaded = ivm.render3d(BALL, size=33)
    assert shaded.pixels.dtype == np.uint8
    assert shaded.pixels.shape == (33, 33, 3)
    assert (shaded.pixels[0, 0] > 240).all(), "the background is light"
    assert shaded.pixels[10, 10, 0] > shaded.pixels[22, 22, 0], "the light is at the upper left"
    assert_array_equal(np.asarray(shaded), shaded.pixels)
    normals = ivm.render3d(BALL, size=33, mode="normals").pixels
    assert normals[16, 16].tolist() == [128, 128, 255]
    assert_array_equal(normals[0, 0], shaded.pixels[0, 0])
    heights = ivm.render3d(BALL, size=33, mode="heightmap")
    assert heights.pixels[16, 16, 0] > heights.pixels[16, 8, 0] > 0


@pytest.mark.parametrize("suffix", ["png", "ppm", "tif", "tiff", "webp"])
def test_files_hold_the_pixels(suffix: str, tmp_path: Any) -> None:
    from PIL import Image as Pillow

    image = ivm.render3d(BALL, size=(9, 7), mode="normals")
    image.save(tmp_path / f"a.{suffix}")
    with Pillow.open(tmp_path / f"a.{suffix}") as picture:
        assert_array_equal(np.asarray(picture.convert("RGB")), image.pixels)
    stream = io.BytesIO()
    image.save(stream, suffix)
    assert stream.getvalue() == (tmp_path / f"a.{suffix}").read_bytes()


def test_a_file_of_numbers_holds_the_depth(tmp_path: Any) -> None:
    image = ivm.render3d(BALL, size=(9, 7))
    image.save(tmp_path / "a.npy")
    assert_array_equal(np.load(tmp_path / "a.npy"), image.depth)
    assert image._repr_png_().startswith(b"\x89PNG")


def test_files_that_are_refused(tmp_path: Any) -> None:
    image = ivm.render3d(BALL, size=4)
    for name, said in (("a.pgm", ".png .jpg"), ("a.gif", ".png .jpg"), ("a", "suffix")):
        with pytest.raises(OptionError, match=said):
            image.save(tmp_path / name)
    (tmp_path / "old.png").write_bytes(b"old")
    with pytest.raises(ivm.FileError):
        image.save(tmp_path / "nowhere" / "a.png")
    with pytest.raises(ivm.ArgumentTypeError, match="bytes"):
        image.save(io.StringIO(), "png")
    assert [path.name for path in tmp_path.iterdir()] == ["old.png"]


def test_it_prints_in_a_line_and_its_statistics_as_a_table() -> None:
    image = ivm.render3d(BALL, size=(9, 7, 5), dtype="float64", threads=1)
    front = "from (0, 0, 1), up (0, 1, 0), center (0, 0, 0), scale 1"
    assert repr(image) == f"<SolidImage 9x7x5, shaded, {front}>"
    lines = str(image.stats).splitlines()
    assert lines[0] == f"9x7x5 voxels, {len(BALL.tape())} clauses, grid center, float64"
    assert lines[1] == "pruned on numba, 1 thread"
    plain = image.stats.as_json()
    assert plain["size"] == [9, 7, 5]
    assert plain["voxels"]["total"] == 9 * 7 * 5
    assert "is_prism" not in plain
    with pytest.raises(AttributeError, match="did you mean 'position'"):
        image.postion  # noqa: B018
