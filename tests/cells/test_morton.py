"""Codes of cells, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest

from intervalvm.cells.morton import morton


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_bits_are_those_of_the_axes_in_turn(dimensions: int) -> None:
    numbers = np.random.default_rng(0).integers(0, 1 << 16, (dimensions, 100))
    expected = [
        sum(
            (int(number) >> bit & 1) << (dimensions * bit + axis)
            for axis, number in enumerate(point)
            for bit in range(16)
        )
        for point in numbers.T
    ]
    assert morton(list(numbers)).tolist() == expected
