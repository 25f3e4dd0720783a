"""The oracles of meshes: sound meshes have no fault, and each fault is found."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.crossings import crossing_pairs, near_pairs, sides, turns, whole
from support.mesh_oracles import LIBRARIES, MOST_EXACT, ORACLES, by_arrays, faults
from support.meshes import ball, cube, joined, mesh_of, tetrahedron

from intervalvm.meshes.mesh import Mesh


def without(mesh: Mesh, *rows: int) -> Mesh:
    """Without some triangles, and vertices of none."""
    triangles = np.delete(mesh.triangles, rows, axis=0)
    used, place = np.unique(triangles, return_inverse=True)
    return mesh_of(mesh.vertices[used], place.reshape(-1, 3))


def sharing(one: Mesh, other: Mesh, *pairs: tuple[int, int]) -> Mesh:
    """Both, where vertex i of one is vertex j of the other."""
    both = joined(one, other)
    place = np.arange(len(both.vertices))
    for i, j in pairs:
        place[len(one.vertices) + j] = i
    used, triangles = np.unique(place[both.triangles], return_inverse=True)
    return mesh_of(both.vertices[used], triangles.reshape(-1, 3))


def turned_over(mesh: Mesh, *rows: int) -> Mesh:
    triangles = mesh.triangles.copy()
    for row in rows:
        triangles[row] = triangles[row][::-1]
    return mesh_of(mesh.vertices, triangles)


def moved(mesh: Mesh, vertex: int, to: Any) -> Mesh:
    vertices = mesh.vertices.copy()
    vertices[vertex] = to
    return mesh_of(vertices, mesh.triangles)


CUBE = cube(1.0)
SOUND = {
    "a cube": CUBE,
    "a tetrahedron": tetrahedron(),
    "a ball": ball(3),
    "a ball in flight": ball(2, at=(1e6, -1e6, 3e5)),
    "a tiny ball": mesh_of(ball(2).vertices * 1e-9, ball(2).triangles),
    "two cubes": joined(CUBE, cube(1.0, at=(1.5, 0, 0))),
    "a cube in the hollow of another": joined(cube(3.0), turned_over(CUBE, *range(12))),
    "cubes a hair apart": joined(CUBE, cube(1.0, at=(1 + 2.0**-50, 0, 0))),
}


@pytest.mark.parametrize("name", SOUND)
def test_sound_meshes_have_no_fault(name: str) -> None:
    assert not {fault: count for fault, count in faults(SOUND[name]).items() if count}


CROSSING = "pairs of triangles that cross"
LAB = "pymeshlab: self-intersecting faces"
BROKEN: dict[str, tuple[Mesh, set[str]]] = {
    "a hole": (
        without(CUBE, 3),
        {
            "edges with other than 2 faces",
            "trimesh: not watertight",
            "manifold3d: refused",
            "pymeshlab: edges of one face",
        },
    ),
    "a triangle that faces inwards": (
        turned_over(CUBE, 3),
        {"edges that two faces run in the same way", "trimesh: winding", "manifold3d: refused"},
    ),
    "an inside out cube": (
        turned_over(CUBE, *range(12)),
        {"volume not above 0", "trimesh: volume not above 0"},
    ),
    "cubes that share an edge": (
        sharing(CUBE, cube(1.0, at=(1, 1, 0)), (6, 0), (7, 1)),
        {"edges with other than 2 faces", "pymeshlab: edges of many faces"},
    ),
    "cubes that share a vertex": (
        sharing(CUBE, cube(1.0, at=(1, 1, 1)), (7, 0)),
        {"vertices with more than one fan", "pymeshlab: vertices of many fans"},
    ),
    "cubes with a corner at the same place": (
        joined(CUBE, cube(1.0, at=(1, 1, 1))),
        {"vertices where others are", CROSSING},
    ),
    "cubes that touch along an edge": (joined(CUBE, cube(0.5, at=(0.75, 0.75, 0))), {CROSSING}),
    "cubes that touch along a face": (joined(CUBE, cube(0.5, at=(0.75, 0, 0))), {CROSSING}),
    "cubes that overlap": (joined(CUBE, cube(1.0, at=(0.5, 0.4, 0.3))), {CROSSING, LAB}),
    "a corner pushed through the other side": (moved(ball(2), 0, (-3, 0.1, 0.2)), {CROSSING, LAB}),
    "a triangle without area": (
        moved(tetrahedron(), 3, (0.5, 0, 0)),
        {"triangles without area", "volume not above 0", "trimesh: volume not above 0"},
    ),
    "a vertex of no triangle": (
        mesh_of(np.concatenate([CUBE.vertices, [(9, 9, 9)]]), CUBE.triangles),
        {"vertices of no triangle", "normals that are not unit"},
    ),
    "a sheet with two sides": (
        mesh_of(np.eye(3), [(0, 1, 2), (0, 2, 1)]),
        {CROSSING, "volume not above 0"},
    ),
}
"""Meshes, and what must be found among what is wrong with them."""


@pytest.mark.parametrize("oracle", ORACLES)
@pytest.mark.parametrize("name", BROKEN)
def test_each_fault_is_found(name: str, oracle: str) -> None:
    mesh, expected = BROKEN[name]
    found = ORACLES[oracle](mesh)
    assert {fault for fault in expected if fault in found} <= {f for f, n in found.items() if n}


def test_all_that_is_counted_is_found_somewhere() -> None:
    """So no count is always 0."""
    for name in LIBRARIES:
        pytest.importorskip(name)
    expected = set().union(*(faults for _, faults in BROKEN.values()))
    counted = set(faults(CUBE))
    assert expected <= counted
    assert counted - expected == {"manifold3d: empty", "trimesh: no volume"}


def test_the_counts_are_counts() -> None:
    found = by_arrays(without(CUBE, 3))
    assert found["edges with other than 2 faces"] == 3
    assert by_arrays(BROKEN["cubes that share an edge"][0])["edges with other than 2 faces"] == 1
    shared = by_arrays(BROKEN["cubes that share a vertex"][0])
    assert {fault: n for fault, n in shared.items() if n} == {"vertices with more than one fan": 1}


def test_large_meshes_are_not_tried_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("support.mesh_oracles.MOST_EXACT", 11)
    assert MOST_EXACT > 11
    assert CROSSING not in faults(CUBE)
    assert CROSSING in faults(tetrahedron())


def test_a_false_alarm() -> None:
    """Two triangles of a real mesh, a quarter of their width apart, which PyMeshLab says cross."""
    pymeshlab = pytest.importorskip("pymeshlab")
    low, high = -0.3391358023509383, -0.23987654317170382
    y = [0.0579012343659997, 0.19024691358208656, 0.16750843729823828]
    y += [0.041358024813234806, 0.0934628127142787, 0.019417187198996544]
    z = [low, low, high, low, high, high]
    x = [-0.31707818899303675 if each == low else -0.314320988021791 for each in z]
    pair = mesh_of(np.stack([x, y, z], axis=1), np.arange(6).reshape(2, 3))
    meshes = pymeshlab.MeshSet()
    meshes.add_mesh(pymeshlab.Mesh(pair.vertices, pair.triangles))
    meshes.compute_selection_by_self_intersections_per_face()
    assert meshes.current_mesh().selected_face_number() == 2
    assert ORACLES["pymeshlab"](pair)[LAB] == 0
    assert not len(crossing_pairs(pair.vertices, pair.triangles))


# --- the exact test -------------------------------------------------------------------------------

small = st.integers(0, 3)
corners = st.tuples(small, small, small)
triangle = st.tuples(corners, corners, corners)


def apart(one: Any, other: Any) -> bool:
    """Whether some axis separates two triangles of whole numbers: another way to the same."""
    one, other = np.array(one), np.array(other)
    edges = [each[(i + 1) % 3] - each[i] for each in (one, other) for i in range(3)]
    normals = [np.cross(edges[0], edges[1]), np.cross(edges[3], edges[4])]
    axes = [*normals, *(np.cross(a, b) for a, b in product(edges[:3], edges[3:]))]
    axes += [np.cross(normals[0], edge) for edge in edges]
    axes += [np.cross(normals[1], edge) for edge in edges]
    return any(
        (one @ axis).max() < (other @ axis).min() or (other @ axis).max() < (one @ axis).min()
        for axis in axes
    )


def has_area(corners: Any) -> bool:
    a, b, c = np.array(corners)
    return bool(np.cross(b - a, c - a).any())


@given(triangle.filter(has_area), triangle.filter(has_area), st.integers(-30, 30))
def test_triangles_apart_cross_unless_an_axis_separates_them(
    one: Any, other: Any, power: int
) -> None:
    vertices = np.array([*one, *other], np.float64) * 2.0**power
    pairs = crossing_pairs(vertices, np.arange(6).reshape(2, 3))
    assert (len(pairs) == 0) == apart(one, other)


@given(
    st.lists(corners, min_size=5, max_size=5, unique=True).filter(
        lambda found: has_area(found[:3]) and has_area([found[0], *found[3:]])
    )
)
def test_triangles_with_a_common_corner_cross_where_a_far_side_meets_the_other(found: Any) -> None:
    """Points of the sides opposite the corner are tried in the other triangle."""
    points = np.array(found, np.int64)
    pairs = crossing_pairs(points.astype(float), np.array([(0, 1, 2), (0, 3, 4)]))
    steps = 2 * 3**3
    for side, other in (([1, 2], [0, 3, 4]), ([3, 4], [0, 1, 2])):
        p, q = points[side]
        tried = [p * (steps - k) + q * k for k in range(steps + 1)]
        if any(holds(points[other] * steps, at) for at in tried):
            assert len(pairs) == 1


def holds(corner: Any, point: Any) -> bool:
    """Whether a point of whole numbers lies in a triangle."""
    a, b, c = corner
    normal = np.cross(b - a, c - a)
    if normal @ (point - a):
        return False
    ends = np.roll(corner, -1, axis=0)
    return bool((np.cross(ends - corner, point - corner) @ normal >= 0).all())


@pytest.mark.parametrize(
    ("found", "crosses"),
    [
        (((0, 0, 0), (4, 0, 0), (0, 4, 0), (1, 1, -1), (1, 1, 1)), True),  # through the middle
        (((0, 0, 0), (4, 0, 0), (0, 4, 0), (1, 1, 1), (1, 1, 2)), False),  # above
        (((0, 0, 0), (4, 0, 0), (0, 4, 0), (1, 1, 0), (1, 1, 2)), True),  # along it
        (((0, 0, 0), (4, 0, 0), (0, 4, 0), (2, 0, 0), (1, 1, 2)), True),  # on the side
        (((0, 0, 0), (4, 0, 0), (0, 4, 0), (-1, 0, 0), (0, -1, 0)), False),  # in the plane
        (((0, 0, 0), (4, 0, 0), (0, 4, 0), (1, 2, 0), (2, 1, 0)), True),  # within
        (((0, 0, 0), (4, 0, 0), (0, 4, 0), (8, 1, 0), (1, 8, 0)), True),  # around
    ],
)
def test_triangles_with_a_common_corner(found: Any, crosses: bool) -> None:
    pairs = crossing_pairs(np.array(found, float), np.array([(0, 1, 2), (0, 3, 4)]))
    assert bool(len(pairs)) == crosses


@pytest.mark.parametrize(
    ("apex", "crosses"),
    [((1, 1, 0), True), ((5, 5, 0), True), ((1, -1, 0), False), ((1, 1, 2.0**-1000), False)],
)
def test_triangles_with_a_common_edge_cross_if_folded_flat(apex: Any, crosses: bool) -> None:
    points = np.array([(0, 0, 0), (4, 0, 0), (0, 4, 0), apex], float)
    pairs = crossing_pairs(points, np.array([(0, 1, 2), (0, 1, 3)]))
    assert bool(len(pairs)) == crosses


numbers = st.floats(-1e3, 1e3)


@given(st.lists(st.tuples(numbers, numbers, numbers), min_size=4, max_size=4))
def test_signs_are_those_of_whole_numbers(points: Any) -> None:
    array = np.array(points)
    a, b, c, d = whole(array).tolist()
    (u, v, w) = ([x - y for x, y in zip(e, d, strict=True)] for e in (a, b, c))
    value = sum(u[i] * (v[j] * w[k] - v[k] * w[j]) for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)))
    assert sides(array, np.arange(4)[None]).tolist() == [(value > 0) - (value < 0)]


def test_whole_numbers_keep_ratios() -> None:
    assert whole(np.array([1.0, -0.75, 0.0, 2.0**-30])).tolist() == [
        k * whole(np.array([1.0, -0.75, 0.0, 2.0**-30]))[3] for k in (2**30, -3 * 2**28, 0, 1)
    ]


def test_turns_are_seen_along_an_axis() -> None:
    points = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0)], float)
    found = turns(points, np.arange(3), np.array([(0, 1, 2)] * 3))
    assert found.tolist() == [0, 0, 1]


@given(st.lists(st.tuples(corners, st.integers(0, 3)), min_size=2, max_size=12))
def test_near_pairs_are_all_whose_boxes_meet(made: Any) -> None:
    low = np.array([corner for corner, _ in made], float)
    high = low + np.array([[size, size / 2, 1] for _, size in made])
    points = np.concatenate([low, high, low])
    triangles = np.arange(len(points)).reshape(3, -1).T
    found = {tuple(sorted(pair)) for pair in near_pairs(points, triangles).tolist()}
    expected = {
        (i, j)
        for i, j in combinations(range(len(made)), 2)
        if (low[i] <= high[j]).all() and (low[j] <= high[i]).all()
    }
    assert found == expected
    assert len(near_pairs(points, triangles)) == len(found)
