"""Volumes: where the voxels are, by their definition, and what does not fit."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.views import solid_pictures

import intervalvm as ivm
from intervalvm import OptionError, View
from intervalvm.voxel.volume import Volume, check_voxels

FLOAT32 = np.dtype(np.float32)
FEW = st.integers(1, 9)
"""Voxels a side."""


def volume_of(options: dict[str, Any]) -> Volume:
    return Volume(options["size"], options["view"], options["grid"], np.dtype(options["dtype"]))


def all_points(volume: Volume) -> list[Any]:
    """x, y and z of all voxels by row, column and layer."""
    width, height, depth = volume.size
    j, i, k = np.ogrid[:height, :width, :depth]
    return volume.points(i, j, k)


def test_centers_of_voxels_are_cubic_and_fill_the_picture() -> None:
    x, y, z = all_points(Volume((4, 2, 3), View(), "center", FLOAT32))
    assert_array_equal(x[0, :, 0], [-1.5, -0.5, 0.5, 1.5])
    assert_array_equal(y[:, 0, 0], [0.5, -0.5])
    assert_array_equal(z[0, 0], [-1, 0, 1])


def test_samples_of_fidget() -> None:
    x, y, z = all_points(Volume((4, 2, 8), View(), "fidget", FLOAT32))
    assert_array_equal(x[0, :, 0], [-2, -1, 0, 1])
    assert_array_equal(y[:, 0, 0], [0, -1])
    assert_array_equal(z[0, 0], np.arange(-4, 4))


@given(options=solid_pictures(FEW))
def test_coordinates_are_sums_of_three_terms(options: dict[str, Any]) -> None:
    """As the definition says, voxel by voxel."""
    volume = volume_of(options)
    size, view, grid, dtype = volume.size, volume.view, volume.grid, volume.dtype
    points = all_points(volume)
    width, height, depth = size
    one, matrix = dtype.type, view.matrix.tolist()
    n, middle = (min(width, height), 0.5) if grid == "center" else (min(size), 0.0)
    for i, j, k in np.ndindex(width, height, depth):
        at = (
            2 * (i + middle - width / 2) / n,
            -2 * (j + middle - height / 2 + (grid == "fidget")) / n,
            2 * (k + middle - depth / 2) / n,
        )
        rows = [(one(m[0] * at[0]) + one(m[1] * at[1])) + one(m[2] * at[2] + m[3]) for m in matrix]
        w = one(1) if view.is_affine else rows[3]
        assert [part[j, i, k] for part in points] == [row / w for row in rows[:3]]


@given(options=solid_pictures(FEW))
def test_ranges_and_what_varies_are_those_of_the_points(options: dict[str, Any]) -> None:
    volume = volume_of(options)
    size, bits, largest = volume.size, f"i{volume.dtype.itemsize}", 0.0
    for axis, part in enumerate(all_points(volume)):
        low, high = volume.ranges[axis]
        assert low <= part.min()
        assert part.max() <= high
        if volume.view.is_affine:
            assert (low, high) == (part.min(), part.max())
        largest = max(largest, abs(float(part.min())), abs(float(part.max())))
        for along, where in enumerate((1, 0, 2)):
            whole = np.broadcast_to(part, (size[1], size[0], size[2]))
            first = np.take(whole, [0], axis=where)
            if not volume.varies[axis, along]:
                assert (whole.view(bits) == first.view(bits)).all()
    assert largest <= volume.bound


def test_terms_of_views_along_an_axis_are_apart() -> None:
    for view in (View(), View.turntable(90), View.turntable(0, -90), View.turntable(up="z")):
        volume = Volume((4, 5, 6), view, "center", FLOAT32)
        assert_array_equal(volume.varies.sum(axis=0), [1, 1, 1])
        assert_array_equal(volume.varies.sum(axis=1), [1, 1, 1])
    assert Volume((4, 5, 6), View.turntable(30, 20), "center", FLOAT32).varies.sum() == 8
    assert not Volume((1, 1, 1), View.turntable(30, 20), "center", FLOAT32).varies.any()


@given(options=solid_pictures(FEW, grids=["center"]))
def test_the_near_normal_is_at_right_angles_to_the_near_side(options: dict[str, Any]) -> None:
    volume = volume_of(options)
    size, inverse = volume.size, np.linalg.inv(volume.view.matrix)
    near = (size[2] - 1) / min(size[:2])
    plane = inverse[2] - near * inverse[3]  # 0 where view z is that of the nearest layer
    expected = plane[:3] / np.linalg.norm(plane[:3])
    np.testing.assert_allclose(volume.near_normal, expected, atol=1e-5)  # rounded to float32


def test_a_volume_is_a_value() -> None:
    volume = Volume((4, 5, 6), View.turntable(30, perspective=0.2), "center", FLOAT32)
    again = pickle.loads(pickle.dumps(volume))
    assert again == volume
    assert_array_equal(all_points(again), all_points(volume))


@pytest.mark.parametrize(
    ("size", "found"),
    [
        (5, (5, 5, 5)),
        ((3, 5), (3, 5, 5)),
        ([5, 3], (5, 3, 5)),
        ((3, 5, 2), (3, 5, 2)),
        (np.int64(2), (2, 2, 2)),
    ],
)
def test_sizes(size: Any, found: Any) -> None:
    assert check_voxels(size) == found


@pytest.mark.parametrize(
    "size",
    [0, -1, True, "64", None, 1.5, (), (3,), (1, 2, 3, 4), (2, 0), (2, True), 2**31, "12", {3}],
)
def test_what_is_no_size(size: Any) -> None:
    with pytest.raises(OptionError, match="the size is"):
        ivm.render3d(ivm.axes()[0], size=size)


def test_a_view_from_inside_infinity() -> None:
    view = View.turntable(perspective=0.6)
    assert Volume((8, 8, 8), view, "center", FLOAT32).bound < 3
    with pytest.raises(OptionError, match=r"inside infinity.*less perspective, or less depth"):
        Volume((8, 8, 16), view, "center", FLOAT32)


def test_a_view_beyond_the_dtype() -> None:
    view = View.turntable(scale=1e39)
    with pytest.raises(OptionError, match=r"beyond float32.* or the dtype float64"):
        Volume((8, 8, 8), view, "center", FLOAT32)
    assert Volume((8, 8, 8), view, "center", np.dtype(np.float64)).bound == 1e39 * 7 / 8
    with pytest.raises(OptionError, match="beyond float64"):
        Volume((8, 8, 800), View.turntable(scale=1e307), "center", np.dtype(np.float64))
