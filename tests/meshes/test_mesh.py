"""``Mesh``: what it holds, measures and refuses."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.meshes import ball, cube, mesh_of, tetrahedron

from intervalvm.cells.measure import Measure
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.meshes.mesh import Mesh, MeshStats

STATS = MeshStats(
    clauses=12,
    method="sharp",
    depth=6,
    cell=(0.0315, 0.0315, 0.063),
    tolerance=1e-3,
    threads=2,
    vertices=8,
    triangles=12,
    cells={"crossed": 1200, "undecided": 3},
    seconds={"cells": 0.0123, "mesh": 1.5},
)


def test_a_cube_has_its_volume_area_and_bounds() -> None:
    mesh = cube(2.0, at=(1, 2, 3))
    assert (mesh.volume, mesh.area) == (8.0, 24.0)
    assert mesh.bounds == ((0, 2), (1, 3), (2, 4))
    assert repr(mesh) == "<Mesh 12 triangles, 8 vertices>"


def test_triangles_that_face_inwards_have_a_negative_volume() -> None:
    mesh = cube(2.0)
    turned = mesh_of(mesh.vertices, mesh.triangles[:, ::-1])
    assert turned.volume == -8.0


def test_the_volume_is_as_exact_far_from_the_origin() -> None:
    far = cube(2.0, at=(2.0**40, -(2.0**40), 2.0**41))
    assert far.volume == 8.0


@pytest.mark.parametrize("power", [-340, -3, 3, 340])
def test_volumes_and_areas_neither_overflow_on_the_way_nor_vanish(power: int) -> None:
    mesh = cube(2.0**power, at=(2.0**power, 0, 0))
    assert (mesh.volume, mesh.area) == (2.0 ** (3 * power), 6 * 2.0 ** (2 * power))


def test_a_volume_beyond_floats_is_infinite() -> None:
    assert cube(2.0**1000).volume == math.inf
    assert cube(2.0**-1000).volume == 0.0


def test_arrays_are_read_only_and_those_of_the_caller_are_not() -> None:
    vertices = np.array(tetrahedron().vertices)
    mesh = mesh_of(vertices, tetrahedron().triangles)
    for array in (mesh.vertices, mesh.triangles, mesh.normals):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1
    vertices[0, 0] = 1


def test_pickle_keeps_the_mesh_and_its_arrays_read_only() -> None:
    mesh = cube(1.0, colours=True, stats=STATS, measure=Measure.of_nothing(3))
    back = pickle.loads(pickle.dumps(mesh))
    for name in ("vertices", "triangles", "normals", "colours"):
        assert_array_equal(getattr(back, name), getattr(mesh, name))
        assert not getattr(back, name).flags.writeable
    assert (back.stats, back.volume_bounds) == (STATS, (0, 0))
    assert cube(1.0).volume_bounds is None


def test_an_empty_mesh_has_no_volume_and_no_bounds() -> None:
    empty = mesh_of(np.zeros((0, 3)), np.zeros((0, 3), np.int32))
    assert (empty.volume, empty.area) == (0.0, 0.0)
    with pytest.raises(OptionError, match="the mesh is empty"):
        empty.bounds  # noqa: B018


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("vertices", [[0.0, 0, 0]], ArgumentTypeError, "vertices is of 'list': give a NumPy array"),
        ("vertices", np.zeros((4, 3), np.float32), ArgumentTypeError, "of 'float32': .* float64"),
        ("triangles", np.zeros((4, 3), np.int64), ArgumentTypeError, "of 'int64': .* int32"),
        ("vertices", np.zeros((4, 2)), OptionError, r"the shape \(4, 2\): give rows of three"),
        ("vertices", np.full((4, 3), np.nan), OptionError, "must be finite"),
        ("vertices", np.full((4, 3), np.inf), OptionError, "must be finite"),
        ("normals", np.full((4, 3), np.nan, np.float32), OptionError, "must be finite"),
        ("normals", np.zeros((3, 3), np.float32), OptionError, "3 normals for 4 vertices"),
        ("colours", np.zeros((3, 3), np.uint8), OptionError, "3 colours for 4 triangles"),
        ("triangles", np.full((4, 3), 4, np.int32), OptionError, "vertices from 0 to 3"),
        ("measure", (0.5, 2.0), ArgumentTypeError, "measure="),
        ("triangles", np.full((4, 3), -1, np.int32), OptionError, "vertices from 0 to 3"),
    ],
)
def test_what_is_no_mesh_is_refused(
    name: str, value: Any, error: type[Exception], message: str
) -> None:
    good = tetrahedron()
    parts = {"vertices": good.vertices, "triangles": good.triangles, "normals": good.normals}
    with pytest.raises(error, match=message):
        Mesh(**parts | {name: value})


def test_names_of_other_libraries_have_hints() -> None:
    with pytest.raises(AttributeError, match=r"write mesh\.triangles"):
        cube(1.0).faces  # noqa: B018


def test_stats_print_as_a_table() -> None:
    assert str(STATS).splitlines() == [
        "12 triangles, 8 vertices, 12 clauses",
        "sharp, depth 6, cells of 0.0315x0.0315x0.063, tolerance 0.001, 2 threads",
        "",
        "cells",
        "crossed    1200",
        "undecided     3",
        "",
        "cells  12.3 ms",
        "mesh   1500 ms",
    ]
    assert STATS.as_json()["cell"] == [0.0315, 0.0315, 0.063]


def test_a_ball_of_triangles_is_near_a_ball() -> None:
    assert math.isclose(ball(4).volume, 4 / 3 * math.pi, rel_tol=0.01)
    assert math.isclose(ball(4).area, 4 * math.pi, rel_tol=0.005)
