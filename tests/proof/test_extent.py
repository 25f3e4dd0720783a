"""The steps of finding an extent: pieces and rays leave nothing out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intervalvm.proof.extent import Boxes, _faces, _grid, _with_pieces

ends = st.floats(-(2.0**64), 2.0**64)


@example(sides=(-(2.0**-32), 2.0**64))
@given(sides=st.tuples(ends, ends).map(sorted).map(tuple))
def test_pieces_cover_a_side(sides: tuple[float, float]) -> None:
    """They touch, and the first and the last end where the side does, without rounding."""
    low, high = sides
    box = Boxes(np.array([[-np.inf, low]]), np.array([[np.inf, high]]))
    found = _with_pieces(Boxes(np.array([[1.0]]), np.array([[1.0]])), box, np.array([True, False]))
    assert found.low[0, 1] == low
    assert found.high[-1, 1] == high
    assert (found.low[1:, 1] == found.high[:-1, 1]).all()
    assert (found.low[:, 0] == 1).all()


@pytest.mark.parametrize(("dimensions", "parts"), [(0, 1), (1, 8), (2, 4)])
@given(data=st.data())
def test_faces_cover_a_cube(dimensions: int, parts: int, data: st.DataObject) -> None:
    """A point whose greatest coordinate is 1 or -1 lies in one of them."""
    point = np.array(data.draw(st.lists(st.floats(-1, 1), min_size=dimensions + 1)))[
        : dimensions + 1
    ]
    point[data.draw(st.integers(0, dimensions))] = data.draw(st.sampled_from([-1.0, 1.0]))
    faces = _faces(_grid(dimensions, parts))
    assert ((faces.low <= point) & (point <= faces.high)).all(axis=1).any()
    assert len(faces) == 2 * (dimensions + 1) * parts**dimensions
