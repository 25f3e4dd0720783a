"""Values as colours: where a palette has which, and lines at multiples of a number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import intervalvm as ivm
from intervalvm import ArgumentTypeError, OptionError, shapes
from intervalvm.colours import colour
from intervalvm.raster import palettes
from intervalvm.raster.palettes import PALETTES, coloured

X, Y, _ = ivm.axes()
SIZE = 65


def values(formula: Any, **options: Any) -> ivm.Image:
    return ivm.render(formula, mode="value", **{"size": SIZE, "dtype": "float64", **options})


@pytest.mark.parametrize("name", PALETTES)
def test_the_ends_and_the_middle_of_a_palette(name: str) -> None:
    palette, shown = PALETTES[name], values(X).coloured(name).shown
    first, last = (palette.below or palette.stops[::-1])[-1], palette.stops[-1]
    assert tuple(shown[0, 0]) == colour(first)
    assert tuple(shown[0, -1]) == colour(last)
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) == SIZE
    assert (shown == shown[:1]).all()


def test_colours_of_a_caller_are_equally_far_apart() -> None:
    shown = values(X, size=5).coloured(["red", (0, 255, 0), "#00f"]).shown[0]
    assert shown.tolist() == [[255, 0, 0], [128, 128, 0], [0, 255, 0], [0, 128, 128], [0, 0, 255]]


def test_limits_and_what_lies_beyond() -> None:
    shown = values(X, size=9).coloured("grey", limits=(-0.5, 0.5)).shown[0, :, 0]
    assert shown.tolist() == [0, 0, 0, 64, 128, 191, 255, 255, 255]


def test_distance_changes_at_0_whatever_the_values_are() -> None:
    shown = values(X + 0.5).coloured("distance").shown[0].astype(int)
    is_blue = shown[:, 2] > shown[:, 0]
    border = SIZE // 4
    assert is_blue[:border].all()
    assert not is_blue[border + 1 :].any()


def test_a_border_between_two_colours_is_smooth() -> None:
    """Half a pixel on either side of it has both."""
    image = values(X, size=101)
    shown = image.coloured().shown[0]
    at = int(np.argmin(abs(image.pixels[0])))
    before, between, after = shown[at - 1 : at + 2].astype(int)
    assert before[2] > between[2] > after[2]
    assert before[0] < between[0] < after[0]


def test_no_number_and_no_end_have_colours_of_their_own() -> None:
    found = np.array([[np.nan, -np.inf, np.inf, 0.5, -0.5, 0.25]])
    for palette in PALETTES.values():
        for spacing in (None, 0.1):
            shown = coloured(found, palette, spacing, (-1.0, 1.0))[0]
            assert shown[:3].tolist() == [[255, 0, 255], [0, 255, 255], [0, 255, 0]]
            odd = {(255, 0, 255), (0, 255, 255), (0, 255, 0)}
            assert not odd & {*map(tuple, shown[3:].tolist())}


@pytest.mark.parametrize("formula", [X * 0, X * 0 + np.nan, X * 0 + np.inf, X * 0 + 1e308])
def test_values_without_a_range_are_shown(formula: Any) -> None:
    for name in PALETTES:
        shown = values(formula).coloured(name, isolines=0.5).shown
        assert len(np.unique(shown.reshape(-1, 3), axis=0)) == 1


def lines(formula: Any, spacing: float, **options: Any) -> Any:
    """How dark lines make each pixel, of the middle row, 0 to 1."""
    image = values(formula, **options)
    plain, lined = (image.coloured(["white", "#fffffe"], isolines=s).shown for s in (None, spacing))
    return 1 - lined[len(lined) // 2, :, 0] / plain[len(plain) // 2, :, 0]


@pytest.mark.parametrize("steep", [0.01, 1.0, 1e6])
def test_lines_are_as_wide_on_any_slope(steep: float) -> None:
    dark = lines(X * steep, 0.25 * steep, size=161)
    at = np.flatnonzero(dark > 0.2)
    assert {0, 20, 40, 60, 80, 100, 120, 140, 160} <= {*at.tolist()}
    assert dark.sum() == pytest.approx(
        palettes.DARKER * palettes.LINE * 7
        + palettes.DARKER
        + palettes.ZERO_DARKER * palettes.ZERO_LINE,
        rel=0.02,
    )  # the two at the ends lie half outside
    assert dark[80] == pytest.approx(palettes.ZERO_DARKER, abs=0.01)


def test_crowded_lines_are_left_out_but_for_that_at_0() -> None:
    dark = lines(X, 0.01, size=101)
    assert np.flatnonzero(dark).tolist() == [49, 50, 51]


def test_a_plateau_is_no_line() -> None:
    assert not lines(ivm.floor(X * 4) / 4 + 0.25, 0.25, size=161)[10:30].any()


@given(st.sampled_from(sorted(PALETTES)), st.integers(1, 40), st.none() | st.floats(0.01, 1))
def test_bands_make_no_difference(name: str, rows: int, spacing: float | None) -> None:
    image = values(shapes.star(5, 0.9, 0.4), size=(30, 41))
    whole = image.coloured(name, isolines=spacing)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(palettes, "BAND_PX", 30 * rows)
        assert_array_equal(image.coloured(name, isolines=spacing).shown, whole.shown)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 2)])
def test_small_pictures(size: tuple[int, int]) -> None:
    shown = values(X * X + Y - 0.3, size=size).coloured(isolines=0.1).shown
    assert shown.shape == (*size[::-1], 3)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"palette": "see"}, OptionError, "choose distance, sea, grey, heat, .*did you mean 'sea'"),
        ({"palette": 3}, ArgumentTypeError, "give a name, such as 'distance', or colours"),
        ({"palette": ["red"]}, OptionError, "give 2 to 64 colours"),
        ({"palette": ["red", "bleu"]}, OptionError, "palette='bleu' is not a colour"),
        ({"isolines": 0}, OptionError, "isolines=0: give a number above 0"),
        ({"isolines": np.nan}, OptionError, "isolines=nan: give a number above 0"),
        ({"isolines": "1"}, ArgumentTypeError, "isolines='1'"),
        ({"limits": (1, 0)}, OptionError, "the lower first"),
        ({"limits": (0, 1, 2)}, OptionError, "give two numbers"),
        ({"limits": (0, np.inf)}, OptionError, "give two finite numbers"),
        ({"limits": (1, 2)}, OptionError, "the palette changes at 0"),
        ({"limits": 3}, ArgumentTypeError, "limits=3"),
    ],
)
def test_what_is_wrong_is_told(options: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        values(X).coloured(**options)


def test_a_bitmap_has_no_values() -> None:
    with pytest.raises(OptionError, match="render with mode='value'"):
        ivm.render(X, size=8).coloured()
