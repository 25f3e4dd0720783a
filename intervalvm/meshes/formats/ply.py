"""Binary PLY, little-endian: float64 vertices, float32 normals, and colours of faces if any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from intervalvm.meshes.formats.blocks import blocks

if TYPE_CHECKING:
    from intervalvm.meshes.mesh import Mesh
    from intervalvm.words import SolidUnit

VERTEX = np.dtype([("point", "<f8", 3), ("normal", "<f4", 3)])
FACE: list[Any] = [("count", "u1"), ("corners", "<i4", 3)]
COLOUR: list[Any] = [("colour", "u1", 3)]


def write(mesh: Mesh, stream: BinaryIO, unit: SolidUnit) -> None:
    """Write a mesh."""
    has_colours = mesh.colours is not None
    stream.write(_header(mesh, unit).encode("ascii"))
    for block in blocks(len(mesh.vertices)):
        points = mesh.vertices[block]
        vertices = np.empty(len(points), VERTEX)
        vertices["point"], vertices["normal"] = points, mesh.normals[block]
        stream.write(vertices.tobytes())
    for block in blocks(len(mesh.triangles)):
        triangles = mesh.triangles[block]
        faces = np.empty(len(triangles), FACE + COLOUR * has_colours)
        faces["count"], faces["corners"] = 3, triangles
        if mesh.colours is not None:
            faces["colour"] = mesh.colours[block]
        stream.write(faces.tobytes())


def _header(mesh: Mesh, unit: SolidUnit) -> str:
    lines = [
        "ply",
        "format binary_little_endian 1.0",
        f"comment by intervalvm, unit {unit}",
        f"element vertex {len(mesh.vertices)}",
        *(f"property double {name}" for name in ("x", "y", "z")),
        *(f"property float {name}" for name in ("nx", "ny", "nz")),
        f"element face {len(mesh.triangles)}",
        "property list uchar int vertex_indices",
    ]
    if mesh.colours is not None:
        lines += [f"property uchar {name}" for name in ("red", "green", "blue")]
    return "\n".join([*lines, "end_header", ""])
