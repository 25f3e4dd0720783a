"""Arrays of boxes, and derivatives by named inputs: each as if asked one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.evaluators import compiled_at_once

import intervalvm as ivm
from intervalvm import OptionError

TAPE = ivm.parse("x var-x\ny var-y\nr var-r\na add x y\nb sqrt a\nc sub b r\nd min c x")
LOW, HIGH = np.array([-1.0, 0.0, 20.0]), np.array([0.0, 0.5, 21.0])
RADII = np.array([[0.25], [0.5]])
SIDES: dict[str, Any] = {"x": (LOW, HIGH), "y": (0.0, 1.0), "variables": {"r": (RADII, RADII)}}


def one_by_one() -> Any:
    for i in np.ndindex(2, 3):
        radius = float(RADII[i[0], 0])
        side = float(LOW[i[1]]), float(HIGH[i[1]])
        yield i, {"x": side, "y": (0.0, 1.0), "variables": {"r": radius}}


@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize("prove", [None, "area"])
@pytest.mark.parametrize("decoration", [False, True])
@compiled_at_once()
def test_bounds_of_boxes_are_those_of_each(backend: Any, prove: Any, decoration: bool) -> None:
    kind: dict[str, Any] = {"backend": backend, "prove": prove, "decoration": decoration}
    found = ivm.interval(TAPE, **SIDES, **kind)
    assert found.lower.shape == found.upper.shape == found.maybe_nan.shape == (2, 3)
    lines = str(found).splitlines()
    for (i, box), line in zip(one_by_one(), lines, strict=True):
        expected = ivm.interval(TAPE, **box, **kind)
        assert (found.lower[i], found.upper[i]) == (expected.lower, expected.upper)
        assert found.maybe_nan[i] == expected.maybe_nan
        assert found.is_empty[i] == expected.is_empty
        assert line == str(expected)
        if decoration:
            assert found.decoration[i] == expected.decoration


@pytest.mark.parametrize("keep", ["value", "sign"])
@pytest.mark.parametrize("dtype", [None, "float32"])
@compiled_at_once()
def test_tapes_of_boxes_are_those_of_each(keep: Any, dtype: Any) -> None:
    found = ivm.simplify(TAPE, **SIDES, keep=keep, dtype=dtype)
    expected = [ivm.simplify(TAPE, **box, keep=keep, dtype=dtype) for _, box in one_by_one()]
    assert found == expected
    assert len({len(tape) for tape in found}) > 1


def test_many_boxes_print_in_a_few_lines() -> None:
    found = ivm.interval(TAPE, x=(np.zeros(1000), np.ones(1000)), y=0, variables={"r": 0})
    lines = str(found).splitlines()
    assert lines[0] == "[0, 1]"
    assert lines[-1] == "... (1000 boxes)"
    assert len(lines) < 12


def test_no_boxes_have_no_bounds() -> None:
    none = np.zeros((0, 2))
    found = ivm.interval(TAPE, x=(none, none), y=0, variables={"r": 0})
    assert found.lower.shape == (0, 2)
    assert str(found) == ""
    assert ivm.simplify(TAPE, x=(none, none), y=0) == []
    assert ivm.interval(TAPE, x=(none, none), y=0, variables={"r": 0}, prove="area").lower.size == 0


@pytest.mark.parametrize(
    ("x", "words"),
    [
        ((LOW, HIGH[:2]), "do not broadcast"),
        ((HIGH, LOW), "the lower one first"),
        ((LOW, [1, np.nan, 5]), "the lower one first"),
        ((LOW, ["a", "b", "c"]), "give a number or a pair"),
        (LOW, "give a number or a pair"),
        ((np.zeros((4, 3, 5)), np.ones((4, 3, 5))), "do not broadcast"),
    ],
)
def test_sides_must_be_numbers_in_order(x: Any, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        ivm.interval(TAPE, x=x, y=(LOW, HIGH), variables={"r": 0})


@pytest.mark.parametrize("backend", ["numba", "numpy"])
@compiled_at_once()
def test_derivatives_by_names_are_in_a_dict(backend: Any) -> None:
    x, y = np.linspace(0.1, 1, 7), np.linspace(2, 3, 7)
    plain = ivm.grad(TAPE, x, y, variables={"r": 0.5}, backend=backend)
    found = ivm.grad(TAPE, x, y, by=("r", "x"), variables={"r": 0.5}, backend=backend)
    assert list(found.by) == ["r", "x"]
    assert_array_equal(found.value, plain.value)
    assert_array_equal(found.by["x"], plain.dx)
    is_root = found.value < x.astype(np.float32)
    assert_array_equal(found.by["r"], np.where(is_root, -1, 0))
    assert ivm.grad(TAPE, 0.5, 1.0, by=[], variables={"r": 0.5}).by == {}
    one = ivm.grad(TAPE, 0.5, 1.0, by="r", variables={"r": 0.5})
    assert one.by["r"].shape == ()
