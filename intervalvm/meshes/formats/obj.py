"""OBJ text: float64 vertices, normals by corner, and the faces of each colour as a group.

Colours proper stand in a second file, which a file that is written whole cannot have: groups and
materials are named after the colour, as in ``CC8844``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from intervalvm.meshes.formats.blocks import write_rows
from intervalvm.meshes.formats.creases import corner_normals
from intervalvm.meshes.formats.palette import hexadecimal, palette

if TYPE_CHECKING:
    from intervalvm.meshes.mesh import Mesh
    from intervalvm.words import SolidUnit


def write(mesh: Mesh, stream: BinaryIO, unit: SolidUnit) -> None:
    """Write a mesh; numbers have the digits that give the same float64 when read."""
    normals, _, of_corners = corner_normals(mesh.vertices, mesh.triangles, mesh.normals)
    stream.write(f"# by intervalvm, unit {unit}\n".encode("ascii"))
    write_rows(stream, "v %r %r %r\n", mesh.vertices + 0.0)  # -0 becomes 0
    write_rows(stream, "vn %.6g %.6g %.6g\n", normals + np.float32(0))
    faces = np.stack([mesh.triangles, of_corners], axis=2).reshape(-1, 6) + 1
    if mesh.colours is None:
        write_rows(stream, "f %d//%d %d//%d %d//%d\n", faces)
        return
    colours, colour_of = palette(mesh.colours)
    for i, rgb in enumerate(colours):
        stream.write(f"g {hexadecimal(rgb)}\n".encode("ascii"))
        write_rows(stream, "f %d//%d %d//%d %d//%d\n", faces[colour_of == i])
