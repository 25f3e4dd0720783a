"""Meshes of shapes: the promises that they keep, and what they say of the solid."""

from __future__ import annotations

import math
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.mesh_oracles import faults
from support.solids import solids

import intervalvm as ivm
from intervalvm.errors import ArgumentTypeError, DoesNotFit, OptionError, VariableError
from intervalvm.jit import native
from intervalvm.jit.meshes.running import LONG, run_task
from intervalvm.shapes import Shape, box, cylinder, half_space, intersection, sphere, torus
from intervalvm.tape import Tape

CUBE = ((-1.0, 1.0),) * 3
METHODS = ["sharp", "safe"]
x, y, z = ivm.axes()


def sound(mesh: ivm.Mesh) -> None:
    """Raise AssertionError for a fault."""
    found = {name: count for name, count in faults(mesh).items() if count}
    assert not found


# --- promises -------------------------------------------------------------------------------------


@given(
    tape=solids(),
    depth=st.integers(1, 4),
    method=st.sampled_from(METHODS),
    tolerance=st.sampled_from([None, 1e-6, 0.05, 10.0]),
    center=st.floats(-0.5, 0.5),
)
@settings(deadline=None, max_examples=60)
def test_meshes_are_closed_manifolds_that_do_not_cross_themselves(
    tape: Tape, depth: int, method: Any, tolerance: float | None, center: float
) -> None:
    region = ((-1.0, 1.0), (center - 1, center + 0.7), (-0.8, 1.1))
    values = dict.fromkeys(tape.variables, 0.25)
    mesh = ivm.mesh(
        tape, region=region, depth=depth, method=method, tolerance=tolerance, variables=values
    )
    if len(mesh.triangles):
        sound(mesh)
        for (low, high), (least, most) in zip(region, mesh.bounds, strict=True):
            side = 1.04 * 2  # of the frame, a cube, in which points of a cut shape's cells lie
            assert high - side <= least <= most <= low + side


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "shape",
    [
        sphere(0.5) & (x * y * z < 0),
        (box(1, 1, 1).move(0.5, 0.5) | box(1, 1, 1).move(-0.5, -0.5)) & box(1.9, 1.9, 1.9),
        Shape(abs(x) + abs(y) + abs(z) - 0.7) - sphere(0.5),
        sphere(0.7).shell(0.02),
        Shape(ivm.sin(9 * x) * ivm.sin(9 * y) * ivm.sin(9 * z) - 0.1),
    ],
    ids=["octants", "an edge of two boxes", "octahedron", "thin", "bubbles"],
)
def test_cells_with_several_loops_are_sound(shape: Any, method: Any) -> None:
    mesh = ivm.mesh(shape, region=CUBE, depth=4, method=method)
    sound(mesh)


def test_callers_on_many_threads_have_the_same_mesh() -> None:
    waves = Shape(ivm.sin(5 * x) * ivm.cos(5 * y) + ivm.sin(5 * z)) & sphere(0.9)
    expected = ivm.mesh(waves, region=CUBE, depth=5, threads=1)
    with ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(ivm.mesh, waves, region=CUBE, depth=5, threads=2) for _ in range(18)]
    for call in calls:
        np.testing.assert_array_equal(call.result().vertices, expected.vertices)
        np.testing.assert_array_equal(call.result().triangles, expected.triangles)


@pytest.mark.skipif(sys.platform == "win32", reason="signals there do not end a wait")
def test_a_long_pass_can_be_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def kernel(_: int) -> int:
        begun.set()
        may_end.wait()
        return 0

    def interrupt() -> None:
        begun.wait()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    monkeypatch.setattr(native, "kernel", lambda *_: kernel)
    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        run_task(0, {}, {"at": np.zeros((LONG + 1, 3), np.int32)})
    may_end.set()


@given(tape=solids(), depth=st.integers(2, 5))
@settings(deadline=None, max_examples=15)
def test_threads_make_the_same_mesh(tape: Tape, depth: int) -> None:
    values = dict.fromkeys(tape.variables, 0.25)
    one, many = (
        ivm.mesh(tape, region=CUBE, depth=depth, threads=threads, variables=values)
        for threads in (1, 3)
    )
    np.testing.assert_array_equal(one.vertices, many.vertices)
    np.testing.assert_array_equal(one.triangles, many.triangles)


# --- edges, and flat parts ------------------------------------------------------------------------


def test_a_box_is_twelve_triangles() -> None:
    mesh = ivm.mesh(box(1, 1.25, 0.75), region=CUBE, depth=6)
    assert (len(mesh.vertices), len(mesh.triangles)) == (8, 12)
    assert mesh.volume == 1.25 * 0.75
    assert mesh.bounds == ((-0.5, 0.5), (-0.625, 0.625), (-0.375, 0.375))


def test_a_turned_box_keeps_its_edges() -> None:
    shape = box(1, 1, 1).rotate(31, "x").rotate(17, (1, 2, 3))
    sharp, safe = (ivm.mesh(shape, region=CUBE, depth=6, method=method) for method in METHODS)
    assert sharp.stats is not None
    away = abs(ivm.evaluate(shape, *sharp.vertices.T, dtype="float64"))
    # exact, but where an edge passes by the corner of a cell and crosses none of its edges
    assert (away < 1e-7).mean() > 0.8
    assert away.max() < 0.15 * sharp.stats.cell[0]
    assert abs(sharp.volume - 1) < abs(safe.volume - 1) / 10


@pytest.mark.parametrize("depth", [5, 6, 7])
def test_a_cube_with_a_chamfer_is_sixteen_triangles(depth: int) -> None:
    shape = box(1, 1, 1) & half_space((1, 1, 0), 0.6)
    mesh = ivm.mesh(shape, region=CUBE, depth=depth, tolerance=1e-4)
    sound(mesh)
    assert (len(mesh.vertices), len(mesh.triangles)) == (10, 16)
    cut = (1 - 0.6 * math.sqrt(2)) ** 2 / 2  # a right triangle with two equal sides
    assert mesh.volume == pytest.approx(1 - cut, abs=1e-8)


@pytest.mark.parametrize("depth", [5, 6, 7])
def test_a_cube_with_all_edges_chamfered_is_few_triangles(depth: int) -> None:
    bevels = [Shape(abs(a) + abs(b) - 0.8) for a, b in ((x, y), (y, z), (z, x))]
    shape = intersection(box(1, 1, 1), *bevels)
    mesh = ivm.mesh(shape, region=CUBE, depth=depth, tolerance=1e-4)
    sound(mesh)
    assert mesh.stats is not None
    uniform = 2 * mesh.area / mesh.stats.cell[0] ** 2
    assert len(mesh.triangles) < uniform / 10


def test_triangles_lie_near_the_surface() -> None:
    shape = sphere(0.7)
    for tolerance in (0.1, 0.02, 0.005):
        mesh = ivm.mesh(shape, region=CUBE, depth=6, tolerance=tolerance)
        corners = mesh.vertices[mesh.triangles]
        middles = corners.mean(axis=1)
        away = abs(np.linalg.norm(middles, axis=1) - 0.7)
        assert away.max() <= tolerance


def test_a_safe_mesh_needs_no_derivatives() -> None:
    truth = (x * x + y * y + z * z < 0.5) & (x < 0.3)
    for method in METHODS:
        mesh = ivm.mesh(truth, region=CUBE, depth=5, method=method)
        sound(mesh)
        assert mesh.stats is not None
        cell = mesh.stats.cell[0]
        radii = np.linalg.norm(mesh.vertices, axis=1)
        on_ball = abs(radii - math.sqrt(0.5)) < 2 * cell
        assert (on_ball | (abs(mesh.vertices[:, 0] - 0.3) < 2 * cell)).all()


# --- what is known --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "volume"),
    [
        (sphere(0.7), 4 / 3 * math.pi * 0.7**3),
        (torus(0.6, 0.25), 2 * math.pi**2 * 0.6 * 0.25**2),
        (box(1.1, 0.9, 1.3), 1.1 * 0.9 * 1.3),
        (cylinder(0.5, 1.2), math.pi * 0.25 * 1.2),
    ],
    ids=["sphere", "torus", "box", "cylinder"],
)
@pytest.mark.parametrize("method", METHODS)
def test_the_volume_lies_within_its_proven_bounds(shape: Any, volume: float, method: Any) -> None:
    mesh = ivm.mesh(shape, region=CUBE, depth=6, method=method)
    assert mesh.volume_bounds is not None
    least, most = mesh.volume_bounds
    assert least <= volume <= most
    assert least <= mesh.volume <= most
    assert mesh.volume == pytest.approx(volume, rel=0.01)


def test_a_region_cuts_and_closes() -> None:
    mesh = ivm.mesh(box(4, 1, 1), region=CUBE, depth=5)
    sound(mesh)
    assert mesh.bounds == ((-1.0, 1.0), (-0.5, 0.5), (-0.5, 0.5))
    assert mesh.volume == pytest.approx(2.0, abs=1e-8)
    everything = ivm.mesh(x * 0 - 1, region=CUBE, depth=4)
    assert everything.volume == pytest.approx(8.0, abs=1e-8)


@pytest.mark.parametrize("value", [1.0, math.nan, math.inf])
def test_nothing_inside_is_an_empty_mesh(value: float) -> None:
    mesh = ivm.mesh(x * 0 + value, region=CUBE, depth=4)
    assert (len(mesh.vertices), len(mesh.triangles), mesh.volume) == (0, 0, 0.0)


def test_thin_parts_that_are_missed_are_counted() -> None:
    sheet = Shape(lambda x, y, z: abs(x - 0.0437) - 1e-4) & box(1.5, 1.5, 1.5)
    mesh = ivm.mesh(sheet, region=CUBE, depth=4)
    assert mesh.stats is not None
    assert mesh.stats.cells["undecided"] > 0


def test_normals_point_outwards() -> None:
    mesh = ivm.mesh(sphere(0.7), region=CUBE, depth=5)
    away = mesh.vertices / np.linalg.norm(mesh.vertices, axis=1, keepdims=True)
    assert ((mesh.normals * away).sum(axis=1) > 0.99).all()


def test_colours_are_those_of_parts() -> None:
    red, blue = box(0.6, 0.6, 0.6).paint("#f00"), sphere(0.3).move(0, 0.6).paint("#00f")
    mesh = ivm.mesh(red | blue, region=CUBE, depth=5)
    assert mesh.colours is not None
    middles = mesh.vertices[mesh.triangles].mean(axis=1)
    high = middles[:, 1] > 0.45
    assert (mesh.colours[high] == (0, 0, 255)).all()
    assert (mesh.colours[middles[:, 1] < 0] == (255, 0, 0)).all()
    assert ivm.mesh(sphere(0.5), region=CUBE, depth=3).colours is None


def test_variables_have_values() -> None:
    ball = ivm.sqrt(x * x + y * y + z * z) - ivm.var("r", 0.5)
    small, large = (ivm.mesh(ball, region=CUBE, depth=5, variables=v) for v in (None, {"r": 0.8}))
    assert small.volume == pytest.approx(4 / 3 * math.pi * 0.125, rel=0.02)
    assert large.volume == pytest.approx(4 / 3 * math.pi * 0.512, rel=0.02)
    with pytest.raises(VariableError, match="r"):
        ivm.mesh(ball.tape(), region=CUBE)


# --- options --------------------------------------------------------------------------------------


def test_cells_are_cubes_of_the_size_asked_for() -> None:
    region = ((-1, 1), (-0.5, 0.5), (-0.25, 0.25))
    mesh = ivm.mesh(box(1.5, 0.6, 0.3), region=region, cell=0.05)
    assert mesh.stats is not None
    assert mesh.stats.cell == (0.05, 0.05, 0.05)
    assert mesh.stats.depth == 6
    sound(mesh)


@pytest.mark.parametrize("size", [1e-9, 1.0, 1e12])
def test_regions_of_any_size(size: float) -> None:
    shape = sphere(0.5 * size).move(3 * size)
    region = ((2 * size, 4 * size), (-size, size), (-size, size))
    mesh = ivm.mesh(shape, region=region, depth=4)
    assert mesh.volume == pytest.approx(4 / 3 * math.pi * 0.125 * size**3, rel=0.1)


@pytest.mark.parametrize("method", METHODS)
def test_points_keep_apart_where_floats_are_coarse(method: Any) -> None:
    """The farthest region that is taken."""
    away = 2.0**36
    ball = ivm.maximum(ivm.square(x - away) + y * y + z * z - 0.7, x - away - 0.3)
    region = ((away - 1, away + 1), (-1, 1), (-1, 1))
    sound(ivm.mesh(ball, region=region, depth=4, method=method))
    with pytest.raises(OptionError, match="too coarse"):
        ivm.mesh(ball, region=region, depth=5, method=method)


def test_volumes_beyond_floats_have_bounds() -> None:
    far = 1e120
    ball = ivm.square(x / far) + ivm.square(y / far) + ivm.square(z / far) - 0.5
    mesh = ivm.mesh(ball, region=((-far, far),) * 3, depth=4)
    assert mesh.volume_bounds == (np.finfo(float).max, math.inf)
    assert len(mesh.triangles) > 100


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"depth": 0}, OptionError, "depth=0"),
        ({"depth": 17}, OptionError, "from 1 to 16"),
        ({"depth": 2.5}, OptionError, "whole number"),
        ({"depth": 5, "cell": 0.1}, OptionError, "not both"),
        ({"cell": 0}, OptionError, "above 0"),
        ({"cell": 1e-9}, OptionError, "larger cells"),
        ({"cell": math.nan}, OptionError, "finite"),
        ({"tolerance": -1}, OptionError, "above 0"),
        ({"method": "fast"}, OptionError, "sharp"),
        ({"region": ((0, 1), (0, 1))}, OptionError, "three pairs"),
        ({"region": ((0, 1), (0, 1), (1, 1))}, OptionError, "z is"),
        ({"region": ((0, 1), (0, 1), (0, math.inf))}, OptionError, "finite"),
        ({"region": ((1e13, 1e13 + 2), (0, 1), (0, 1))}, OptionError, "nearer the origin"),
        ({"region": ((-8e307, 8e307), (0, 1), (0, 1)), "cell": 8e307}, OptionError, "too coarse"),
        ({"region": 5}, (OptionError, ArgumentTypeError), "region"),
        ({"threads": 0}, OptionError, "threads"),
        ({"size": 5}, ArgumentTypeError, "size"),
        ({"max_memory": "1K", "depth": 7}, DoesNotFit, "less depth"),
    ],
)
def test_options_are_checked(options: dict[str, Any], error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        ivm.mesh(sphere(0.5), **({"region": CUBE} | options))


def test_memory_of_the_surface_counts() -> None:
    """Cells take less than the surface in them."""
    waves = Shape(ivm.sin(30 * x) * ivm.sin(30 * y) + ivm.sin(30 * z))
    with pytest.raises(DoesNotFit, match="a surface of"):
        ivm.mesh(waves, region=CUBE, depth=5, max_memory="8M")


def test_progress_goes_up_to_the_end() -> None:
    seen: list[tuple[int, int]] = []
    ivm.mesh(sphere(0.5), region=CUBE, depth=5, progress=lambda *done: seen.append(done))
    assert seen == sorted(seen)
    assert seen[-1] == (100, 100)


def test_an_exception_of_progress_stops_it() -> None:
    def stop(done: int, _: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ivm.mesh(sphere(0.5), region=CUBE, depth=6, progress=stop)
    assert ivm.mesh(sphere(0.5), region=CUBE, depth=4).volume > 0
