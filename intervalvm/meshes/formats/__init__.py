"""The file formats of meshes: suffixes and writers, each a module.

A unit of the shape is a unit of the file; only GLB, which is in metres, has other numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from intervalvm.errors import OptionError
from intervalvm.meshes.formats import glb, obj, ply, stl, threemf

if TYPE_CHECKING:
    from collections.abc import Callable

    from intervalvm.meshes.mesh import Mesh
    from intervalvm.words import SolidUnit

FORMATS: dict[str, Callable[[Mesh, Any, SolidUnit], None]] = {
    "stl": stl.write, "ply": ply.write, "obj": obj.write, "glb": glb.write, "3mf": threemf.write,
}  # fmt: skip
"""The suffixes that a mesh can be saved under."""


def check_solid(mesh: Mesh) -> None:
    """Raise OptionError for a mesh without triangles: no program reads it as a solid."""
    if not len(mesh.triangles):
        raise OptionError(
            "the mesh is empty, and a file of it would hold no solid: nothing of the shape is "
            "inside the region that was meshed, or all of it is thinner than a cell"
        )
