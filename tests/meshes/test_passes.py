"""The passes over an octree: compiled code does what its source does in Python; templates."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.solids import solids

import intervalvm as ivm
from intervalvm.cells import subdivision
from intervalvm.compiler.passes import IN_PYTHON, Scratch
from intervalvm.jit.meshes import layout as c
from intervalvm.jit.meshes.tasks import PASS
from intervalvm.jit.meshes.triangles import CORNER
from intervalvm.meshes import crossings, octree, planes, surface, thinning
from intervalvm.meshes.templates import edge_between, templates
from intervalvm.tape import Tape

CUBE = ((-1.0, 1.0),) * 3


def in_python(task: int, sizes: dict[int, int], arrays: dict[str, Any]) -> Any:
    """``passes.run_task`` by the source."""
    found = np.zeros(c.SIZES, np.int64)
    found[c.TASK] = task
    for field, size in sizes.items():
        found[field] = size
    given = {name: np.empty(0, dtype) for name, dtype in PASS.fields.items()}
    flat = {name: array.reshape(-1) for name, array in arrays.items()}
    IN_PYTHON.run(PASS, given | flat | {"sizes": found}, Scratch())
    return found


def prepared_in_python(arrays: dict[str, Any]) -> Any:
    """``passes.prepared`` by the source."""
    return lambda task, sizes: int(in_python(task, sizes, arrays)[c.COUNT])


@given(tape=solids(), depth=st.integers(1, 3), method=st.sampled_from(["sharp", "safe"]))
@settings(deadline=None, max_examples=12)
def test_the_source_makes_the_same_mesh(tape: Tape, depth: int, method: Any) -> None:
    values = dict.fromkeys(tape.variables, 0.25)
    options: dict[str, Any] = {"region": CUBE, "depth": depth, "method": method}
    compiled = ivm.mesh(tape, variables=values, **options)
    with pytest.MonkeyPatch.context() as patch:
        for module in (subdivision, crossings, octree, planes, surface, thinning):
            patch.setattr(module, "run_task", in_python, raising=False)
            patch.setattr(module, "prepared", prepared_in_python, raising=False)
        plain = ivm.mesh(tape, variables=values, **options)
    np.testing.assert_array_equal(plain.vertices, compiled.vertices)
    np.testing.assert_array_equal(plain.triangles, compiled.triangles)


@pytest.mark.parametrize("case", range(512))
def test_a_template_is_closed_but_for_its_chords(case: int) -> None:
    """Its border has one edge for each chord on a face: from crossing to crossing."""
    starts, table = templates()
    triangles = table[starts[case] : starts[case + 1]].tolist()
    edges = Counter((t[k], t[(k + 1) % 3]) for t in triangles for k in range(3))
    assert not edges or max(edges.values()) == 1
    border = {edge for edge in edges if edge[::-1] not in edges}
    assert all(a < CORNER and b < CORNER for a, b in border)
    crossed = {
        edge_between(a, b)
        for a, b in product(range(8), repeat=2)
        if (a ^ b) in (1, 2, 4) and (case >> a & 1) != (case >> b & 1)
    }
    # each crossing lies on two faces, and begins one chord and ends another
    assert Counter(a for a, _ in border) == Counter(crossed)
    assert Counter(b for _, b in border) == Counter(crossed)
    used = {vertex - CORNER for t in triangles for vertex in t if vertex >= CORNER}
    side = 0 if case >= 256 else 1
    assert used == {corner for corner in range(8) if (case >> corner & 1) == side}
