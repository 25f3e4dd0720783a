"""``intervalvm mesh``: the surface of a solid as triangles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from intervalvm.api.mesh import mesh as make_mesh
from intervalvm.cli.making import Making, run
from intervalvm.meshes.formats import FORMATS

if TYPE_CHECKING:
    import argparse

    from intervalvm.meshes.mesh import Mesh


def mesh(options: argparse.Namespace) -> int:
    """Run the command."""
    kind = Making(make_mesh, "meshing", FORMATS, _facts, _summary)
    run(options, kind, {"unit": options.unit, "scale": options.scale})
    return 0


def _facts(found: Mesh) -> dict[str, Any]:
    proven = None if found.volume_bounds is None else list(found.volume_bounds)
    facts = {"volume": found.volume, "volume_bounds": proven, "area": found.area}
    return {**facts, "bounds": [list(side) for side in found.bounds]}


def _summary(found: Mesh) -> str:
    counts = f"{len(found.triangles)} triangles, {len(found.vertices)} vertices"
    return f"{counts}, volume {found.volume:.6g}"
