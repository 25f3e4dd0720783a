"""``why``: what it says of a point is what the walk does, and holds there."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import strategies

import intervalvm as ivm
from intervalvm import shapes
from intervalvm.api.explanation import Why
from intervalvm.api.options import Options
from intervalvm.evaluate.arithmetic import Floats
from intervalvm.ops import ROWS
from intervalvm.raster import quadtree

SIZE = (50, 30)
FLOATS = st.sampled_from(["float32", "float64"])
X, Y, Z = ivm.axes()


class Recorder(quadtree.Walk):
    """The readable walk; notes the level, the verdict and the tape's length of each pixel."""

    def begin(self, tape: ivm.Tape) -> None:
        self.levels = np.zeros(self.pixels.shape, int)
        self.lengths = np.full(self.pixels.shape, -1)
        self.split(tape, quadtree.Tile(0, 0, 0), 0)

    def split(self, tape: ivm.Tape, tile: quadtree.Tile, step: int) -> None:
        self.levels[tile.pixels(*self.pixels.shape[::-1])] = sum(self.job.steps[: step + 1])
        super().split(tape, tile, step)

    def leaf(self, tape: ivm.Tape, rows: slice, columns: slice) -> None:
        self.lengths[rows, columns] = len(tape)
        super().leaf(tape, rows, columns)


@settings(max_examples=60)
@given(tape=strategies.shapes(), dtype=FLOATS, depth=st.integers(0, 4), place=st.integers(0, 1499))
def test_the_chain_is_that_of_the_readable_walk(
    tape: ivm.Tape, dtype: str, depth: int, place: int
) -> None:
    line, column = divmod(place, SIZE[0])
    job = Options(size=SIZE, dtype=dtype, depth=depth).job(tape, None)
    walk = Recorder(job, Floats(job.dtype))
    walk.begin(tape)
    x, y = (float(axis[k]) for axis, k in zip(job.samples, (column, line), strict=True))

    found = ivm.why(tape, x, y, size=SIZE, dtype=dtype, depth=depth)

    assert found.pixel == (column, line) or len(set(job.samples[0])) < SIZE[0]
    assert found.inside == bool(walk.pixels[line, column] == 255)
    assert found.tile.level == walk.levels[line, column]
    is_leaf = walk.lengths[line, column] >= 0
    assert (found.tile.verdict == "ambiguous") == is_leaf
    if is_leaf:
        assert len(found.tape) == walk.lengths[line, column]


@settings(max_examples=60)
@given(
    tape=strategies.shapes(),
    dtype=FLOATS,
    x=st.floats(-1.5, 1.5, width=32),
    y=st.floats(-1, 1, width=32),
)
def test_what_is_said_of_a_tile_holds_at_the_point(
    tape: ivm.Tape, dtype: str, x: float, y: float
) -> None:
    """Also between samples, where no picture evaluates."""
    found = ivm.why(tape, x, y, size=SIZE, region=(-1.5, 1.5, -1, 1), dtype=dtype)
    value = ivm.evaluate(tape, x, y, dtype=dtype)
    np.testing.assert_array_equal(found.value, value)
    np.testing.assert_array_equal(ivm.evaluate(found.value_tape, x, y, dtype=dtype), value)
    assert bool(ivm.evaluate(found.tape, x, y, dtype=dtype) < 0) == found.inside
    assert _holds(found.bounds, value)
    for look in found.chain:
        assert look.x[0] <= x <= look.x[1]
        assert look.y[0] <= y <= look.y[1]
        assert look.verdict == "ambiguous" or (look.verdict == "inside") == found.inside
    real = ivm.interval(tape, x=x, y=y, prove="point", dtype="float64")
    assert found.proven == real or found.proven.is_empty == real.is_empty == True  # noqa: E712


def _holds(bounds: ivm.Interval, value: Any) -> bool:
    if np.isnan(value):
        return bool(bounds.maybe_nan)
    return bool(bounds.lower <= value <= bounds.upper)


@settings(max_examples=60)
@given(tape=strategies.shapes(), x=st.floats(-1, 1, width=32), y=st.floats(-1, 1, width=32))
def test_choices_have_the_numbers_of_the_shapes_clauses(tape: ivm.Tape, x: float, y: float) -> None:
    found = ivm.why(tape, x, y, size=64)
    np.testing.assert_array_equal(tape.codes[list(found.clauses)], found.tape.codes)
    assert found.of == len(tape)
    levels = {look.level: look for look in found.chain}
    for choice in found.choices:
        op, look = ROWS[tape.codes[choice.clause]], levels[choice.level]
        assert op.name == choice.operation
        assert op.has_choice
        for operand, bounds in zip(
            tape.operands(choice.clause), (choice.left, choice.right), strict=True
        ):
            until = slice(operand + 1)
            parts = tape.codes, tape.left, tape.right, tape.wide, tape.single
            part = ivm.Tape(*(array[until] for array in parts))
            for at in ((x, y), (look.x[0], look.y[1]), (look.x[1], look.y[0])):
                assert _holds(bounds, ivm.evaluate(part, *at))
    assert sum(found.counts.values()) == len(found.choices)
    left = [choice for choice in found.choices if choice.side == "both"]
    assert {choice.clause for choice in left} == {
        i for i in found.clauses if ROWS[tape.codes[i]].has_choice
    }
    assert all(choice.level == found.tile.level for choice in left)


def test_a_report() -> None:
    disc = ivm.sqrt(ivm.square(X) + ivm.square(Y)) - 0.5
    wall = abs(X - 2) - 0.25
    found = ivm.why(ivm.minimum(disc, wall), 0.25, 0.5, size=64)
    assert repr(found) == "<Why (0.25, 0.5): 0.059017003, outside>"
    text = str(found)
    assert "8 of 14 clauses are left for the sign, 8 for the value" in text
    assert "choices: 1 of the left side, 0 of the right, 0 open" in text
    (choice,) = found.choices
    assert (choice.operation, choice.side, choice.level) == ("min", "left", 2)
    assert re.search(r"_d +min +2 +left ", text)
    assert text.endswith("_7 sub _5 _6")
    page = found._repr_html_()
    assert page.count("<table>") == page.count("</table>") == 2
    assert "0.059017003, outside" in page


def test_a_float_and_a_real_value_may_differ_in_sign() -> None:
    """What is on the edge is decided by rounding."""
    found = ivm.why(shapes.rectangle(0.2, 1), 0.1, 0.0)
    assert found.value == 0
    assert not found.inside
    assert found.proven.upper < found.proven.lower + 1e-15
    assert f"[{found.proven.lower!r}, {found.proven.upper!r}]" in str(found)


@pytest.mark.parametrize("depth", [0, 1, 3, None])
@pytest.mark.parametrize("size", [1, (7, 1), (3, 100), 64])
def test_tiles_cover_the_pixel(size: Any, depth: int | None) -> None:
    width, height = size if isinstance(size, tuple) else (size, size)
    depth = depth and min(depth, max(width, height).bit_length() - 1)
    image = ivm.render(shapes.circle(0.7), size=size, depth=depth)
    x, y = image.samples()
    for column, line in {(0, 0), (width - 1, height - 1), (width // 2, height // 3)}:
        found = ivm.why(shapes.circle(0.7), x[column], y[line], size=size, depth=depth)
        assert found.pixel == (column, line)
        assert found.inside == bool(image.pixels[line, column])
        assert found.chain[0].level == 0
        assert found.chain[0].pixels == (width, height)
        levels = [look.level for look in found.chain]
        assert levels == sorted(set(levels))


def test_variables_and_heights_are_those_of_the_call() -> None:
    part = shapes.sphere(ivm.var("r", 0.5))
    assert ivm.why(part, 0, 0.4).inside
    assert not ivm.why(part, 0, 0.4, z=0.4).inside
    assert ivm.why(part, 0, 0.4, z=0.4, variables={"r": 0.6}).inside
    assert ivm.why(part, 0, 0.4, z=0.4, variables={"r": 0.6}).z == np.float32(0.4)
    with pytest.raises(ivm.VariableError, match="'r'"):
        ivm.why(part.tape(), 0, 0)


def test_json_is_bounded_and_has_no_odd_number() -> None:
    found = ivm.why(ivm.sqrt(X) - ivm.sqrt(Y + 2) / 0, -0.5, 0.25, size=64)
    sent = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert sent["value"] == "nan"
    assert sent["inside"] is False
    assert sent["proven"] == ["inf", "-inf", True]

    many = shapes.union(*(shapes.circle(1.0).move(0.001 * k) for k in range(500)))
    found = ivm.why(many, 1.3, 0.5, size=64, region=(-2, 2, -2, 2))
    sent = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert len(found.choices) > len(sent["choices"]) == 200
    assert len(found.tape) > 200
    assert sent["tape"].count("\n") == 200
    assert sent["counts"] == found.counts
    assert [look["level"] for look in sent["chain"]] == [0, 2]
    assert sent["clauses"] == len(found.tape)
    assert sent["of"] == len(many.tape())
    assert len(json.dumps(sent)) < 60_000


@pytest.mark.parametrize("grid", ["linspace", "center", "fidget"])
def test_every_sample_of_a_picture_can_be_asked_of(grid: Any) -> None:
    options: dict[str, Any] = {"size": 3, "region": (-0.1, 0.1, -0.3, 0.3), "grid": grid}
    image = ivm.render(X + Y, **options)  # whose ends float32 rounds outwards
    columns, lines = image.samples()
    for i, x in enumerate(columns.tolist()):
        for j, y in enumerate(lines.tolist()):
            assert ivm.why(X + Y, x, y, **options).pixel == (i, j)


@pytest.mark.parametrize(
    ("point", "options", "said"),
    [
        ((2, 0), {}, "the point (2, 0) is not in the region x -1..1, y -1..1"),
        ((0, float("nan")), {}, "the point (0, nan) is not in the region"),
        ((0, 0), {"depth": 11}, "takes 0 to 10"),
        ((0, 0), {"region": (1, 0, 0, 1)}, "lower end first"),
    ],
)
def test_wrong_points_and_options(
    point: tuple[float, float], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ivm.OptionError, match=re.escape(said)):
        ivm.why(shapes.circle(0.5), *point, **options)


def test_an_explanation_is_frozen() -> None:
    found: Any = ivm.why(shapes.circle(0.5), 0, 0)
    assert isinstance(found, Why)
    with pytest.raises(AttributeError):
        found.value = 0.0
