"""Binary STL: triangles in float32, each with its normal, without units or colours.

An 80-byte header and a count, then 50 bytes a triangle, little-endian. Programs take a header that
begins with "solid" for the text format. Units are the reader's to say; the header names them.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from intervalvm.meshes.formats.blocks import blocks
from intervalvm.meshes.formats.creases import face_normals
from intervalvm.meshes.formats.singles import singles

if TYPE_CHECKING:
    from intervalvm.meshes.mesh import Mesh
    from intervalvm.words import SolidUnit

FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def write(mesh: Mesh, stream: BinaryIO, unit: SolidUnit) -> None:
    """Write a mesh. Raises OptionError if float32 cannot hold it."""
    vertices, triangles, _, _ = singles(mesh)
    header = f"binary STL by intervalvm, unit {unit}".encode("ascii")
    stream.write(struct.pack("<80sI", header, len(triangles)))
    for block in blocks(len(triangles)):
        part = triangles[block]
        facets = np.zeros(len(part), FACET)
        facets["normal"] = face_normals(vertices, part)[0]
        facets["corners"] = vertices[part]
        stream.write(facets.tobytes())
