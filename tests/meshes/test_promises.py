"""Ten models and more, at two depths, by both methods: what a mesh promises, by all oracles."""

from __future__ import annotations

import io
import runpy
from functools import cache
from typing import Any

import pytest
from support.mesh_oracles import faults
from support.meshes import mesh_of
from support.places import TOP

import intervalvm as ivm
from intervalvm.meshes.formats import FORMATS
from intervalvm.meshes.formats.singles import singles

EXAMPLES = ("bearing", "chess", "coral", "gyroid", "infill", "lattice", "menger", "mug", "pawn",
            "planetary")  # fmt: skip
FILES = ("colonnade", "tanglecube")
REGION = ((-1.15, 1.15), (-1.1, 1.2), (-1.2, 1.1))
"""It cuts some of the models, and its sides lie on no plane of theirs."""


@cache
def model(name: str) -> Any:
    if name in EXAMPLES:
        return runpy.run_path(str(TOP / "examples" / f"{name}.py"))["build"]()
    path = TOP.parent / "shared" / "models" / f"{name}.vm"
    if not path.exists():
        pytest.skip(f"no {path.name} here")
    return ivm.load(path)


@pytest.mark.parametrize("name", [*EXAMPLES, *FILES])
@pytest.mark.parametrize("depth", [4, 5])
@pytest.mark.parametrize("method", ["sharp", "safe"])
def test_meshes_of_models_have_no_fault_and_fit_every_file(
    name: str, depth: int, method: Any
) -> None:
    mesh = ivm.mesh(model(name), region=REGION, depth=depth, method=method)
    assert len(mesh.triangles) > 100
    assert not {fault: count for fault, count in faults(mesh).items() if count}
    assert mesh.volume_bounds is not None
    for format in FORMATS:
        mesh.write(io.BytesIO(), format)
    rounded = singles(mesh)
    found = faults(mesh_of(rounded.vertices.astype(float), rounded.triangles))
    # of triangles that become slivers there is no normal
    found.pop("normals that are not unit")
    assert not {fault: count for fault, count in found.items() if count}
