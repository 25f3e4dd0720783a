"""A mesh as an object of other libraries, which are imported on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from intervalvm.errors import BackendError, OptionError, install_line

if TYPE_CHECKING:
    from intervalvm.meshes.mesh import Mesh


def to_trimesh(mesh: Mesh) -> Any:
    """A ``trimesh.Trimesh`` of copies of the arrays, as they are."""
    trimesh = _library("trimesh", "to_trimesh")
    colours = None if mesh.colours is None else mesh.colours.copy()
    return trimesh.Trimesh(
        mesh.vertices.copy(),
        mesh.triangles.astype(np.int64),
        # it takes none of no vertices
        vertex_normals=mesh.normals.astype(np.float64) if len(mesh.vertices) else None,
        face_colors=colours,
        process=False,
    )


def to_manifold(mesh: Mesh) -> Any:
    """A ``manifold3d.Manifold``. Raises OptionError if it refuses the mesh."""
    manifold3d = _library("manifold3d", "to_manifold")
    parts = manifold3d.Mesh64(mesh.vertices.copy(), mesh.triangles.astype(np.uint64))
    found = manifold3d.Manifold(parts)
    if found.status() != manifold3d.Error.NoError:
        raise OptionError(f"manifold3d refuses the mesh: {found.status().name}")
    return found


def to_pyvista(mesh: Mesh) -> Any:
    """A ``pyvista.PolyData`` of copies of the arrays."""
    pyvista = _library("pyvista", "to_pyvista")
    found = pyvista.PolyData.from_regular_faces(mesh.vertices.copy(), mesh.triangles.copy())
    if not len(mesh.vertices):  # there is no empty array of data
        return found
    found.point_data["Normals"] = mesh.normals.copy()
    if mesh.colours is not None:
        found.cell_data["colours"] = mesh.colours.copy()
    return found


def _library(name: str, method: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise BackendError(
            f"{method} needs {name}, which is not installed: {install_line('mesh')}"
        ) from None
