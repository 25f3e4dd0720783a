"""The file formats of meshes: suffixes and writers, each a module.

A unit of the shape is a unit of the file; only GLB, which is in metres, has other numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from intervalvm.checks import check_word
from intervalvm.errors import OptionError
from intervalvm.meshes.formats import glb, obj, ply, stl, threemf
from intervalvm.words import SolidUnit

if TYPE_CHECKING:
    from collections.abc import Callable

    from intervalvm.meshes.mesh import Mesh

FORMATS: dict[str, Callable[[Mesh, Any, SolidUnit], None]] = {
    "stl": stl.write, "ply": ply.write, "obj": obj.write, "glb": glb.write, "3mf": threemf.write,
}  # fmt: skip
"""The suffixes that a mesh can be saved under."""


def check_savable(mesh: Mesh, unit: Any) -> None:
    """Raise OptionError for an unknown unit, and for a mesh without triangles: no program reads it
    as a solid."""
    check_word("unit", unit, get_args(SolidUnit))
    if not len(mesh.triangles):
        raise OptionError(
            "the mesh is empty, and a file of it would hold no solid: nothing of the shape is "
            "inside the region that was meshed, or all of it is thinner than a cell"
        )
