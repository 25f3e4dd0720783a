"""``tiles``: drawn one by one they are the picture, bit for bit."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.strategies import shapes as any_shapes
from tqdm import tqdm

import intervalvm as ivm
from intervalvm import ArgumentTypeError, OptionError, shapes

DISC = shapes.circle(0.8) - shapes.star(5, 0.5, 0.2)
SIZE = 61, 47
"""Primes: no tile divides them."""


def put_together(drawn: Any, like: Any) -> Any:
    """The pixels of tiles as one picture; what none of them covers stays 77."""
    whole = np.full_like(like, 77)
    for image in drawn:
        left, top, right, bottom = image.crop
        whole[top:bottom, left:right] = image.pixels
    return whole


@given(
    tape=any_shapes(most=4),
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    tile=st.tuples(st.integers(9, 80), st.integers(9, 80)),
)
def test_together_they_are_the_picture(
    tape: ivm.Tape, size: tuple[int, int], tile: tuple[int, int]
) -> None:
    drawn = ivm.tiles(tape, size=size, tile=tile)
    expected = ivm.render(tape, size=size).pixels
    assert_array_equal(put_together(drawn, expected), expected)
    assert len([*drawn]) == len(drawn) == -(-size[0] // tile[0]) * -(-size[1] // tile[1])


@pytest.mark.parametrize(
    "options",
    [
        {"antialias": 3},
        {"mode": "value", "dtype": "float64"},
        {"prove": "area"},
        {"grid": "center", "region": ivm.Region((-1, 0.3), (0, 0.9)), "variables": {"r": 0.7}},
        {"engine": "dense"},
        {"backend": "numpy"},
    ],
    ids=str,
)
def test_with_any_options(options: Any) -> None:
    x, y, _ = ivm.axes()
    shape = DISC if "variables" not in options else ivm.sqrt(x * x + y * y) - ivm.var("r", 0.1)
    expected = ivm.render(shape, size=SIZE, **options).pixels
    drawn = ivm.tiles(shape, size=SIZE, tile=20, **options)
    assert_array_equal(put_together(drawn, expected), expected)


def test_of_a_painted_shape() -> None:
    painted = DISC.paint("teal") | shapes.circle(0.1).paint("#c84")
    expected = ivm.render(painted, size=SIZE).colours
    assert expected is not None
    whole = np.zeros_like(expected)
    for image in ivm.tiles(painted, size=SIZE, tile=20):
        assert image.crop is not None
        left, top, right, bottom = image.crop
        whole[top:bottom, left:right] = image.colours
    assert_array_equal(whole, expected)


def test_they_come_in_rows_from_the_top_and_can_be_asked_for() -> None:
    drawn = ivm.tiles(DISC, size=SIZE, tile=(30, 20))
    crops = [image.crop for image in drawn]
    assert crops[:4] == [(0, 0, 30, 20), (30, 0, 60, 20), (60, 0, 61, 20), (0, 20, 30, 40)]
    assert [drawn[i].crop for i in range(len(drawn))] == crops
    assert drawn[-1].crop == crops[-1] == (60, 40, 61, 47)
    assert_array_equal(drawn[4].pixels, [*drawn][4].pixels)
    for i in (len(drawn), -len(drawn) - 1):
        with pytest.raises(IndexError, match="there are 9 tiles"):
            drawn[i]


def test_none_is_drawn_before_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    draw, drawn = ivm.Renderer.render, []
    monkeypatch.setattr(
        ivm.Renderer, "render", lambda self, **o: drawn.append(o) or draw(self, **o)
    )
    tiles = ivm.tiles(DISC, size=1_000_000, tile=64)
    assert len(tiles) == 15625**2
    assert drawn == []
    next(iter(tiles))
    assert drawn == [{"crop": (0, 0, 64, 64)}]


def test_none_is_kept() -> None:
    before = None
    for image in ivm.tiles(DISC, size=SIZE, tile=30):
        assert before is None or before() is None
        before = weakref.ref(image)
        del image


def test_a_bar_knows_how_many_come() -> None:
    bar = tqdm(ivm.tiles(DISC, size=SIZE, tile=30), disable=None)
    assert bar.total == 6
    assert sum(1 for _ in bar) == 6


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ({"size": 0}, OptionError, "the size is 0"),
        ({"size": 9, "tile": 0}, OptionError, "the tile is 0"),
        ({"size": 9, "tile": "a"}, OptionError, "the tile is 'a'"),
        ({"size": 9, "crop": (0, 0, 1, 1)}, ArgumentTypeError, "tiles takes no crop="),
        ({"size": 9, "progress": True}, ArgumentTypeError, "tiles takes no progress="),
        ({"size": 9, "mode": "flat"}, OptionError, "no mode 'flat'"),
    ],
)
def test_what_are_no_tiles(given: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as raised:
        ivm.tiles(DISC, **given)
    assert message in str(raised.value)
