"""The passes over the leaves of a quadtree: compiled code does what its source does in Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scenes import blends, scenes

import intervalvm as ivm
from intervalvm.compiler.passes import IN_PYTHON, Scratch
from intervalvm.jit.outlines import layout as c
from intervalvm.jit.outlines.tasks import PASS
from intervalvm.jit.tasks import Given
from intervalvm.outlines import lattice, merging
from intervalvm.tape import Tape

SQUARE = (-1.0, 1.0, -1.0, 1.0)


def in_python(
    task: int, sizes: dict[int, int], arrays: dict[str, Any], before: Given | None = None
) -> Any:
    """``passes.run_task`` by the source."""
    found = np.zeros(c.SIZES, np.int64)
    found[c.TASK] = task
    for field, size in sizes.items():
        found[field] = size
    given = {name: np.empty(0, dtype) for name, dtype in PASS.fields.items()}
    if before is not None:
        arrays = {**before.arrays, **arrays}
    flat = {name: array.reshape(-1) for name, array in arrays.items()}
    status = IN_PYTHON.run(PASS, given | flat | {"sizes": found}, Scratch())
    return found, status != 0


@given(
    tape=scenes(max_shapes=4) | blends(most=3),
    tolerance=st.sampled_from([0.1, 0.02]),
    closed=st.booleans(),
)
@settings(deadline=None, max_examples=12)
def test_the_source_makes_the_same_curves(tape: Tape, tolerance: float, closed: bool) -> None:
    options: dict[str, Any] = {"region": SQUARE, "tolerance": tolerance, "closed": closed}
    compiled = ivm.contour(tape, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lattice, "LEAST_ROOM", 16)  # so that tables grow
        for module in (lattice, merging):
            patch.setattr(module, "run_task", in_python)
        plain = ivm.contour(tape, **options)
    assert len(plain) == len(compiled)
    for a, b in zip(plain, compiled, strict=True):
        np.testing.assert_array_equal(a, b)
