"""Solids with several samples a pixel, and on a transparent background."""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image as Pillow

import intervalvm as ivm
from intervalvm import OptionError, shapes

SOLID = shapes.sphere(0.6).paint("teal") | shapes.torus(0.7, 0.1)
SIZE = 24, 17
OPTIONS: dict[str, Any] = {"view": ivm.View.turntable(30, 30), "size": (*SIZE, 30)}


def drawn(n: int = 1, **options: Any) -> ivm.SolidImage:
    return ivm.render3d(SOLID, **OPTIONS | {"antialias": n} | options)


def blocks(fine: Any, n: int) -> Any:
    height, width, channels = fine.shape
    return fine.astype(int).reshape(height // n, n, width // n, n, channels)


@pytest.mark.parametrize("mode", ["shaded", "normals", "heightmap", "occlusion"])
@pytest.mark.parametrize("n", [2, 3])
def test_pixels_are_the_means_of_the_picture_at_n_times_the_size(n: int, mode: Any) -> None:
    image = drawn(n, mode=mode)
    fine = drawn(1, size=(24 * n, 17 * n, 30 * n), mode=mode)
    mean = blocks(fine.pixels, n).mean(axis=(1, 3))
    assert_array_equal(image.pixels, np.floor(mean + 0.5))
    assert (image.width, image.height) == SIZE
    assert_array_equal(image.depth, fine.depth)
    assert_array_equal(image.colours, fine.colours)
    assert image.stats.size == fine.stats.size
    assert f"{n}x{n} samples a pixel" in str(image.stats)
    assert (image.stats.as_json()["antialias"], "antialias" in fine.stats.as_json()) == (n, False)


@pytest.mark.parametrize("n", [1, 3])
def test_a_transparent_background(n: int) -> None:
    clear = drawn(n, background="none")
    fine = drawn(1, size=(24 * n, 17 * n, 30 * n), background="black")
    seen = blocks((fine.depth > 0)[..., None], n).sum(axis=(1, 3))
    assert_array_equal(clear.pixels[..., 3], (2 * 255 * seen[..., 0] + n * n) // (2 * n * n))
    total = blocks(np.where(fine.depth[..., None] > 0, fine.pixels, 0), n).sum(axis=(1, 3))
    expected = np.where(seen, (2 * total + seen) // np.maximum(2 * seen, 1), 0)
    assert_array_equal(clear.pixels[..., :3], expected)
    assert 0 < (clear.pixels[..., 3] > 0).mean() < 1
    over = clear.over("black").shown.astype(int)
    assert abs(over - drawn(n, background="black").pixels).max() <= 1  # rounded twice
    clear.write(stream := io.BytesIO(), "png")
    with Pillow.open(stream) as read:
        assert_array_equal(read, clear.shown)
    again = pickle.loads(pickle.dumps(clear))
    assert_array_equal(again.shown, clear.shown)


def test_what_cannot_be_is_told() -> None:
    with pytest.raises(OptionError, match="a shadow lies on the background"):
        drawn(background="none", shadow=0.5)
    with pytest.raises(OptionError, match=r"background='nowhere' is not a colour.*transparent"):
        drawn(background="nowhere")
    with pytest.raises(OptionError, match="antialias=0: give the samples of a pixel"):
        drawn(0)
    with pytest.raises(OptionError, match=r"a \.npy holds the depth, of a voxel a pixel"):
        drawn(2).save(io.BytesIO(), "npy")
    with pytest.raises(OptionError, match=r"a \.jpg has no transparency"):
        drawn(background="transparent").save(io.BytesIO(), "jpg")
    with pytest.raises(ivm.DoesNotFit):
        drawn(16, size=1000, max_memory="100M")
