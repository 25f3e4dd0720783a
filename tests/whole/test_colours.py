"""Colours as text and as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intervalvm import ArgumentTypeError, OptionError
from intervalvm.colours import colour

BYTES = st.integers(0, 255)


@given(st.tuples(BYTES, BYTES, BYTES), st.booleans())
def test_six_digits_are_the_numbers(parts: tuple[int, int, int], upper: bool) -> None:
    text = "#" + bytes(parts).hex()
    assert colour(text.upper() if upper else text) == parts == colour(list(parts))


@pytest.mark.parametrize(
    "value", ["#c84", "#C84", " #cc8844 ", (204, 136, 68), np.array([204, 136, 68], np.uint8)]
)
def test_ways_to_say_a_colour(value: Any) -> None:
    assert colour(value) == (0xCC, 0x88, 0x44)


def test_names_are_those_of_css() -> None:
    for _ in range(2):  # Pillow keeps what it has read in another form
        assert colour("teal") == (0, 128, 128)
        assert colour("LightGrey") == colour("lightgray") == (211, 211, 211)
        assert colour("rebeccapurple") == (0x66, 0x33, 0x99)


@pytest.mark.parametrize(
    "value",
    ["", "#", "#c8", "#c844", "#cc88441", "#ggg", "cc8844", "#\uff11\uff12\uff13",
     "rgb(1, 2, 3)", (1, 2), (1, 2, 3, 4), (256, 0, 0), (-1, 0, 0)],
)  # fmt: skip
def test_other_values_are_refused_with_the_ways(value: Any) -> None:
    with pytest.raises(OptionError, match=r"ink=.* is not a colour.*#c84.*teal.*0 to 255"):
        colour(value, "ink")


@pytest.mark.parametrize(
    "value", [None, 5, 0.5, b"#c84", {1, 2, 3}, (0.1, 0.2, 0.3), (True, 0, 0), "#c84".split, 1j]
)
def test_other_types_are_refused_with_the_ways(value: Any) -> None:
    with pytest.raises(ArgumentTypeError, match=r"ink=.* is not a colour.*#c84.*teal.*0 to 255"):
        colour(value, "ink")


def test_a_misspelt_name_gets_a_suggestion() -> None:
    with pytest.raises(OptionError, match="did you mean 'crimson'"):
        colour("crimsom")
