"""Meshes in float32, where vertices can become equal, and normals at creases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.mesh_oracles import by_arrays
from support.mesh_readers import READERS
from support.meshes import ball, closed_meshes, cube, joined, mesh_of, tetrahedron

from intervalvm.errors import OptionError
from intervalvm.meshes.formats.creases import CREASE, corner_normals, face_normals
from intervalvm.meshes.formats.singles import singles
from intervalvm.meshes.mesh import Mesh

TOPOLOGY = (
    "edges with other than 2 faces",
    "edges that two faces run in the same way",
    "vertices with more than one fan",
    "vertices of no triangle",
    "vertices where others are",
)


def with_short_edge() -> Mesh:
    """A ball of which two neighbours are closer than float32 can tell."""
    mesh = ball(2)
    vertices = mesh.vertices.copy()
    i, j, _ = mesh.triangles[0]
    vertices[j] = vertices[i] * (1 + 1e-12)
    colours = np.arange(3 * len(mesh.triangles)).reshape(-1, 3).astype(np.uint8)
    return mesh_of(vertices, mesh.triangles, colours=colours)


def test_a_mesh_that_fits_keeps_its_triangles() -> None:
    mesh = ball(2)
    found = singles(mesh, 0.1)
    assert_array_equal(found.vertices, (mesh.vertices * 0.1).astype(np.float32))
    assert found.triangles is mesh.triangles
    assert found.owners is found.kept is None


def test_negative_zeros_become_zeros() -> None:
    mesh = mesh_of(tetrahedron().vertices * -0.0 + tetrahedron().vertices, tetrahedron().triangles)
    turned = mesh_of(-mesh.vertices, mesh.triangles)
    assert np.signbit(turned.vertices).sum() == 12
    assert np.signbit(singles(turned).vertices).sum() == 3


def test_a_short_edge_collapses_and_the_rest_stays_closed() -> None:
    mesh = with_short_edge()
    found = singles(mesh)
    assert len(found.vertices) == len(mesh.vertices) - 1
    assert len(found.triangles) == len(mesh.triangles) - 2
    assert found.owners is not None
    assert found.kept is not None
    assert_array_equal(found.vertices, mesh.vertices[found.owners].astype(np.float32))
    assert_array_equal(
        found.vertices[found.triangles], mesh.vertices[mesh.triangles[found.kept]].astype("f4")
    )
    counts = by_arrays(mesh_of(found.vertices, found.triangles))
    assert not any(counts[fault] for fault in TOPOLOGY)


@pytest.mark.parametrize("format", ["stl", "glb", "3mf"])
def test_files_leave_out_the_same_triangles(tmp_path: Any, format: str) -> None:
    with_short_edge().save(tmp_path / f"a.{format}")
    for name, reader in READERS:
        if name == format:
            assert len(reader(tmp_path / f"a.{format}").triangles) == 126


PINCHED = {
    "bodies that meet in a vertex": joined(cube(1.0), cube(1.0, at=(1 + 1e-12, 1, 1))),
    "bodies that meet along an edge": joined(cube(1.0), cube(1.0, at=(1 + 1e-12, 1, 0))),
    "bodies that meet along a side": joined(cube(1.0), cube(1.0, at=(1 + 1e-12, 0, 0))),
    "a body that is flat": mesh_of(cube(1.0).vertices * (1, 1, 1e-60), cube(1.0).triangles),
    "a body that is a point": joined(cube(1.0), cube(1e-60)),
    "nothing but points": cube(1e-60),
}


@pytest.mark.parametrize("name", PINCHED)
def test_what_would_not_stay_a_closed_surface_is_refused(name: str) -> None:
    with pytest.raises(OptionError, match="would no longer be a closed surface: save"):
        singles(PINCHED[name])


@given(closed_meshes(), st.sampled_from([0.0, 1e4, 1e6, 1e7, 1e8]))
def test_what_is_not_refused_is_closed(mesh: Mesh, away: float) -> None:
    size = np.ptp(mesh.vertices, axis=0).max()
    moved = mesh_of(mesh.vertices / size + away, mesh.triangles)
    try:
        found = singles(moved)
    except OptionError:
        event("refused")
        assert away >= 1e6
        return
    event("kept" if found.kept is None else "made smaller")
    counts = by_arrays(mesh_of(found.vertices, found.triangles))
    assert not any(counts[fault] for fault in TOPOLOGY)


# --- creases --------------------------------------------------------------------------------------


def test_a_smooth_mesh_keeps_its_normals() -> None:
    mesh = ball(3)
    found = corner_normals(mesh.vertices, mesh.triangles, mesh.normals)
    assert found.normals is mesh.normals
    assert found.of_corners is mesh.triangles


@given(st.integers(0, 2**12 - 1))
def test_the_corners_of_a_cube_have_the_normals_of_its_sides(turns: int) -> None:
    """However the corners of its triangles are numbered."""
    mesh = cube(3.0, at=(5, 0, 0))
    shifts = [[turns >> i & 1] for i in range(12)]
    triangles = np.take_along_axis(mesh.triangles, (np.arange(3) + shifts) % 3, axis=1)
    found = corner_normals(mesh.vertices, triangles, mesh.normals)
    assert len(found.normals) == 24
    assert_array_equal(found.owners[found.of_corners], triangles)
    sides = face_normals(mesh.vertices, triangles)[0]
    assert_array_equal(found.normals[found.of_corners], np.repeat(sides[:, None], 3, axis=1))


def test_a_can_is_smooth_around_and_sharp_at_its_rims() -> None:
    angles = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles), np.zeros(32)], axis=1)
    vertices = np.concatenate([ring, ring + np.eye(3)[2], [(0, 0, 0), (0, 0, 1)]])
    i, j = np.arange(32), (np.arange(32) + 1) % 32
    below, above = np.full(32, 64), np.full(32, 65)
    parts = [(i, j, j + 32), (i, j + 32, i + 32), (j, i, below), (i + 32, j + 32, above)]
    triangles = np.concatenate([np.stack(part, axis=1) for part in parts])
    mesh = mesh_of(vertices, triangles)
    normals, owners, of_corners = corner_normals(mesh.vertices, mesh.triangles, mesh.normals)
    assert len(normals) == 4 * 32 + 2
    around = owners[of_corners[:64]]
    outwards = mesh.vertices[around] * (1, 1, 0)
    np.testing.assert_allclose(normals[of_corners[:64]], outwards, atol=0.05)
    assert_array_equal(normals[of_corners[64:96]], np.broadcast_to([0, 0, -1], (32, 3, 3)))


@pytest.mark.parametrize("scale", [1e-300, 1e-20, 1.0, 1e150, 1e300])
def test_normals_of_any_size_are_unit_and_near_their_triangles(scale: float) -> None:
    mesh = joined(cube(scale), ball(1, at=(3, 0, 0)) if scale == 1 else cube(scale))
    normals, _, of_corners = corner_normals(mesh.vertices, mesh.triangles, mesh.normals)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)
    faces = face_normals(mesh.vertices / scale, mesh.triangles)[0]
    assert np.einsum("mij,mj->mi", normals[of_corners], faces).min() > CREASE - 1e-6
