"""Meshes as objects of trimesh, manifold3d and PyVista, and errors where these are missing."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from numpy.testing import assert_array_equal
from support.meshes import ball, closed_meshes, cube, joined, mesh_of

from intervalvm.errors import BackendError, OptionError
from intervalvm.meshes.mesh import Mesh


@given(closed_meshes())
def test_trimesh_has_the_same_arrays_volume_and_area(mesh: Mesh) -> None:
    pytest.importorskip("trimesh", reason="trimesh is not installed")
    found = mesh.to_trimesh()
    assert_array_equal(found.vertices, mesh.vertices)
    assert_array_equal(found.faces, mesh.triangles)
    assert found.is_volume
    # trimesh sums about the origin, from which the mesh lies up to ten times its size away
    assert found.volume == pytest.approx(mesh.volume, rel=1e-9)
    assert found.area == pytest.approx(mesh.area, rel=1e-12)
    if mesh.colours is not None:
        assert_array_equal(found.visual.face_colors[:, :3], mesh.colours)


def test_an_empty_mesh_is_empty_in_other_libraries() -> None:
    for name in ("trimesh", "pyvista", "manifold3d"):
        pytest.importorskip(name, reason=f"{name} is not installed")
    mesh = mesh_of(np.zeros((0, 3)), np.zeros((0, 3)))
    assert mesh.to_trimesh().is_empty
    assert mesh.to_manifold().is_empty()
    assert mesh.to_pyvista().n_cells == 0


def test_trimesh_may_be_changed_and_the_mesh_is_not() -> None:
    pytest.importorskip("trimesh", reason="trimesh is not installed")
    mesh = cube(2.0, colours=True)
    found = mesh.to_trimesh()
    np.testing.assert_allclose(found.vertex_normals, mesh.normals)
    found.apply_translation([1, 2, 3])
    found.visual.face_colors[:] = 0
    assert_array_equal(mesh.bounds, cube(2.0).bounds)


@given(closed_meshes())
def test_manifold3d_has_the_same_volume_and_counts(mesh: Mesh) -> None:
    pytest.importorskip("manifold3d", reason="manifold3d is not installed")
    found = mesh.to_manifold()
    assert (found.num_vert(), found.num_tri()) == (len(mesh.vertices), len(mesh.triangles))
    assert found.volume() == pytest.approx(mesh.volume, rel=1e-9)
    assert found.surface_area() == pytest.approx(mesh.area, rel=1e-12)


def test_manifold3d_cuts_what_it_was_given() -> None:
    pytest.importorskip("manifold3d", reason="manifold3d is not installed")
    cut = cube(2.0).to_manifold() - cube(1.0).to_manifold()
    assert cut.volume() == pytest.approx(7)


def test_a_mesh_that_manifold3d_refuses() -> None:
    pytest.importorskip("manifold3d", reason="manifold3d is not installed")
    open_cube = mesh_of(cube(1.0).vertices, cube(1.0).triangles[1:])
    with pytest.raises(OptionError, match="manifold3d refuses the mesh: NotManifold"):
        open_cube.to_manifold()


def test_pyvista_has_the_same_arrays() -> None:
    pytest.importorskip("pyvista", reason="PyVista is not installed")
    mesh = joined(cube(2.0), ball(2, at=(4, 0, 0)))
    found = mesh.to_pyvista()
    assert_array_equal(found.points, mesh.vertices)
    assert found.points.dtype == np.float64
    assert_array_equal(found.regular_faces, mesh.triangles)
    assert_array_equal(found.point_data["Normals"], mesh.normals)
    assert found.volume == pytest.approx(mesh.volume)
    assert found.is_manifold
    assert_array_equal(
        cube(2.0, colours=True).to_pyvista().cell_data["colours"], cube(2.0, colours=True).colours
    )


@pytest.mark.parametrize("library", ["trimesh", "manifold3d", "pyvista"])
def test_a_library_that_is_missing_is_named_with_the_way_to_it(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    method = f"to_{library.removesuffix('3d')}"
    with pytest.raises(BackendError, match=f"^{method} needs {library}, which is not .*: pip inst"):
        getattr(cube(1.0), method)()
