"""Random solids and views, and the depth of each pixel by their definition."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from support.strategies import tapes

import intervalvm as ivm
from intervalvm.tape import Tape

SIDES = st.integers(1, 9) | st.sampled_from([16, 17, 33])
FEW_DEGREES = st.sampled_from([0.0, 90.0, 180.0, 270.0, 30.0, -25.0])


@st.composite
def solids(draw: st.DrawFn) -> Tape:
    """A tape that is a solid near the origin, or any tape."""
    if draw(st.integers(0, 4)) == 4:
        return draw(tapes(max_clauses=20))
    axes = ivm.axes()
    number = st.floats(-1, 1, width=16)

    def part() -> Any:
        x, y, z = (axis - draw(number) for axis in axes)
        size = abs(draw(number)) + 0.1
        kind = draw(st.sampled_from(["ball", "box", "slab", "waves", "prism", "blend"]))
        if kind == "ball":
            return np.sqrt(x * x + y * y + z * z) - size
        if kind == "box":
            return np.maximum(np.maximum(abs(x), abs(y)), abs(z)) - size
        if kind == "slab":
            return draw(st.sampled_from([x, y, z])) * draw(number) - size
        if kind == "waves":
            return np.sin(x * 5) * np.cos(y * 5) + np.sin(z * 5) - size
        if kind == "prism":
            return np.maximum(x * x + y * y - size, -draw(number))
        return -np.log(np.exp(-8 * (abs(x) - size)) + np.exp(-8 * (y * y + z * z - size)))

    found = part()
    for _ in range(draw(st.integers(0, 4))):
        join = draw(st.sampled_from([np.minimum, np.maximum, lambda a, b: np.maximum(a, -b)]))
        found = join(found, part())
    return found.tape()


@st.composite
def matrices(draw: st.DrawFn) -> Any:
    """A 4x4 matrix from view space to the model, perspective or not."""
    found = np.diag([draw(st.sampled_from([1.0, 0.5, 2.0]))] * 3 + [1.0])
    for axis in range(3):
        angle, turn = np.radians(draw(FEW_DEGREES)), np.eye(4)
        i, j = [k for k in range(3) if k != axis]
        turn[[i, j], [i, j]] = np.round(np.cos(angle), 12)
        turn[i, j], turn[j, i] = -np.round(np.sin(angle), 12), np.round(np.sin(angle), 12)
        found = found @ turn
    found[:3, 3] = draw(st.lists(st.floats(-0.5, 0.5, width=16), min_size=3, max_size=3))
    if draw(st.booleans()):
        tilt = np.eye(4)
        tilt[3, draw(st.integers(0, 2))] = draw(st.sampled_from([0.3, -0.125]))
        found = found @ tilt
    return found


def terms_of(matrix: Any, size: tuple[int, int, int], dtype: Any) -> list[list[Any]]:
    """The terms of x, y, z and of the divisor if there is one, from the nearest layer on."""
    pitch = 2 / max(size[:2])
    x, y, z = ((np.arange(n) + 0.5 - n / 2) * pitch for n in size)
    rows = 4 if (matrix[3] != [0, 0, 0, 1]).any() else 3
    return [
        [
            (matrix[r, 0] * x).astype(dtype),
            (matrix[r, 1] * -y).astype(dtype),
            (matrix[r, 2] * -z + matrix[r, 3]).astype(dtype),
        ]
        for r in range(rows)
    ]


def coordinates(terms: list[list[Any]], column: Any, line: Any, layer: Any) -> list[Any]:
    """The model coordinates of voxels."""
    rows = [(a[column] + b[line]) + c[layer] for a, b, c in terms]
    return [row / rows[3] for row in rows[:3]] if len(rows) > 3 else rows


def depth_of(tape: Tape, terms: list[list[Any]], dtype: Any) -> Any:
    """int32[lines, columns]: every voxel evaluated."""
    columns, lines, layers = (len(part) for part in terms[0])
    found = np.zeros((lines, columns), np.int32)
    line, column = np.mgrid[:lines, :columns]
    for layer in range(layers):
        values = ivm.evaluate(
            tape, *coordinates(terms, column, line, layer), dtype=dtype, backend="numpy"
        )
        found[(found == 0) & (values < 0)] = layers - layer
    return found
