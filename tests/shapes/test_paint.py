"""Colours: which part of a shape shows, through every operation."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intervalvm import shapes as s
from intervalvm.api.evaluate import evaluate
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.expr import axes, sqrt, var
from intervalvm.expr.paint import NO_COLOUR, code_of, paint_of, rgb_of
from intervalvm.shapes.base import Made, is_painted

X, Y, Z = axes()
RED, TEAL = code_of((255, 0, 0)), code_of((0, 128, 128))
POINTS = np.random.default_rng(5).uniform(-1.2, 1.2, (3, 4000))


def codes(shape: s.Shape, points: Any = POINTS) -> Any:
    """The codes of the colours that show at points."""
    paint = paint_of(shape)
    assert paint is not None
    return evaluate(paint, *points, dtype="float64")


def value(shape: s.Shape, points: Any = POINTS) -> Any:
    return evaluate(shape, *points, dtype="float64")


left, right = s.circle(0.5).move(-0.3), s.rectangle(0.9, 0.5).move(0.2)
both = left.paint("red") | right.paint("teal")
apart = s.Shape(left.expr - right.expr)
"""At most 0 where the left one is nearer."""

PLACED: dict[str, Callable[[s.Shape], s.Shape]] = {
    "move": lambda a: a.move(0.3, -0.2, 0.1),
    "rotate": lambda a: a.rotate(33, (1, 2, 3)),
    "scale": lambda a: a.scale(1.5, 0.7),
    "reflect": lambda a: a.reflect("x"),
    "mirror": lambda a: a.mirror("x"),
    "repeat": lambda a: a.repeat(0.8, 0.7),
    "revolve": lambda a: a.revolve(0.2),
    "twist": lambda a: a.twist(50),
    "taper": lambda a: a.taper(1.0, 0.4),
}
"""Operations that keep the sign of a field of the plane where they move it to."""
KEPT: dict[str, Callable[[s.Shape], s.Shape]] = {
    "offset": lambda a: a.offset(0.1),
    "shell": lambda a: a.shell(0.1),
    "extrude": lambda a: a.extrude(0.5),
    "__invert__": lambda a: ~a,
}
"""Operations that change the values, and leave points where they are."""
JOINED: dict[str, Callable[[s.Shape, s.Shape], s.Shape]] = {
    "union": s.union,
    "intersection": s.intersection,
    "difference": s.difference,
    "smooth_union": lambda a, b: s.smooth_union(a, b, radius=0.2),
    "smooth_intersection": lambda a, b: s.smooth_intersection(a, b, radius=0.2),
    "smooth_difference": lambda a, b: s.smooth_difference(a, b, radius=0.2),
    "__or__": lambda a, b: a | b,
    "__and__": lambda a, b: a & b,
    "__sub__": lambda a, b: a - b,
    "morph": lambda a, b: a.morph(b, 0.3),
    "loft": lambda a, b: a.loft(b, 2.0),
}
COPIED: dict[str, Callable[[s.Shape], s.Shape]] = {
    "repeat": lambda a: a.repeat(0.4, count=3),
    "repeat_around": lambda a: a.repeat_around(3),
}


def operations() -> set[str]:
    """The functions and methods that make a shape of shapes."""
    methods = {
        name
        for name, found in inspect.getmembers(s.Shape, inspect.isfunction)
        if inspect.signature(found).return_annotation in ("Self", "Shape")
        and (not name.startswith("_") or name in ("__or__", "__and__", "__sub__", "__invert__"))
    }
    functions = {
        name
        for name in s.__all__
        if inspect.isfunction(found := getattr(s, name))
        and any("Shape" in str(p.annotation) for p in inspect.signature(found).parameters.values())
    }
    return methods | functions


def test_every_operation_is_tried() -> None:
    assert operations() == {*PLACED, *KEPT, *JOINED, *COPIED, "paint", "bind"}


@pytest.mark.parametrize("name", sorted(PLACED))
def test_colours_move_with_the_shape(name: str) -> None:
    place = PLACED[name]
    expected = np.where(value(place(apart)) <= 0, RED, TEAL)
    np.testing.assert_array_equal(codes(place(both)), expected)
    assert len(set(expected)) == 2


@pytest.mark.parametrize("name", sorted(KEPT))
def test_colours_stay_where_values_change(name: str) -> None:
    np.testing.assert_array_equal(codes(KEPT[name](both)), codes(both))


@pytest.mark.parametrize("name", sorted({*PLACED, *KEPT, *COPIED}))
def test_one_colour_stays_one_number(name: str) -> None:
    made = ({**PLACED, **KEPT, **COPIED})[name](left.paint("red"))
    paint = paint_of(made)
    assert paint is not None
    assert str(paint) == str(paint_of(left.paint("red")))


@pytest.mark.parametrize("name", sorted({*PLACED, *KEPT, *COPIED}))
def test_the_field_of_a_painted_shape_is_the_same(name: str) -> None:
    operation = ({**PLACED, **KEPT, **COPIED})[name]
    assert operation(both).tape() == operation(left | right).tape()
    assert paint_of(operation(left | right)) is None


@pytest.mark.parametrize("name", sorted(JOINED))
def test_the_field_of_painted_operands_is_the_same(name: str) -> None:
    join = JOINED[name]
    assert join(left.paint("red"), right.paint("teal")).tape() == join(left, right).tape()
    assert join(left, right).paint("red").tape() == join(left, right).tape()
    assert paint_of(join(left, right)) is None


@pytest.mark.parametrize("name", ["union", "smooth_union", "__or__"])
def test_a_union_shows_the_nearest_part(name: str) -> None:
    made = JOINED[name](left.paint("red"), right.paint("teal"))
    expected = np.where(value(left) <= value(right), RED, TEAL)
    np.testing.assert_array_equal(codes(made), expected)


@pytest.mark.parametrize("name", ["union", "smooth_union", "__or__", "morph", "loft"])
def test_a_part_without_a_colour_counts_beside_one_that_has_one(name: str) -> None:
    join = JOINED[name]
    full = codes(join(left.paint("red"), right.paint("teal")))
    half = codes(join(left.paint("red"), right))
    np.testing.assert_array_equal(half, np.where(full == TEAL, NO_COLOUR, RED))


@pytest.mark.parametrize("name", ["intersection", "smooth_intersection", "__and__"])
def test_an_intersection_shows_the_first_that_has_a_colour(name: str) -> None:
    join = JOINED[name]
    assert set(codes(join(left.paint("red"), right.paint("teal")))) == {RED}
    assert set(codes(join(left, right.paint("teal")))) == {TEAL}


@pytest.mark.parametrize("name", ["difference", "smooth_difference", "__sub__"])
def test_a_cut_shows_what_is_cut_and_not_what_cuts(name: str) -> None:
    join = JOINED[name]
    cut = join(left.paint("red"), right.paint("teal"))
    assert set(codes(cut)) == {RED}
    assert paint_of(join(left, right.paint("teal"))) is None
    # on the surface that the cut exposes too
    on_the_cut = np.abs(value(join(left, right)) + value(right)) < 1e-12
    assert on_the_cut.any()
    assert set(codes(cut, POINTS[:, on_the_cut])) == {RED}
    # and where it is joined further
    assert set(codes((left - right.paint("teal")) & s.circle(1).paint("red"))) == {RED}


def test_a_complement_by_itself_keeps_its_colour() -> None:
    assert set(codes(~left.paint("red"))) == {RED}
    assert set(codes(right & ~left.paint("red"))) == {RED}


@pytest.mark.parametrize("amount", [0.0, 0.25, 1.0])
def test_a_morph_shows_the_larger_share(amount: float) -> None:
    a, b = left.paint("red"), right.paint("teal")
    shares = value(left) * (1 - amount), value(right) * amount
    expected = np.where(shares[0] <= shares[1], RED, TEAL)
    made = a.morph(b, amount)
    np.testing.assert_array_equal(codes(made), expected)
    inside = value(made) < 0
    assert amount == 0.25 or len(set(expected[inside])) == 1


def test_a_loft_shows_its_ends() -> None:
    made = left.paint("red").loft(right.paint("teal"), 1.0)
    points = POINTS.copy()
    for z, code in ((-0.5, RED), (0.5, TEAL)):
        points[2] = z
        inside = value((left, right)[code == TEAL], points) < 0
        assert set(codes(made, points[:, inside])) == {code}


def test_copies_show_the_nearest_copy() -> None:
    made = both.repeat(0.4, count=3)
    moved = [both.move(dx) for dx in (-0.4, 0.0, 0.4)]
    order = np.argmin([value(each) for each in moved], axis=0)
    expected = np.choose(order, [codes(each) for each in moved])
    np.testing.assert_array_equal(codes(made), expected)


def test_a_new_colour_replaces_all_that_were_there() -> None:
    again = both.paint("#0000ff")
    assert set(codes(again)) == {code_of((0, 0, 255))}
    assert set(codes(again | right.paint("red").move(0.4))) == {code_of((0, 0, 255)), RED}
    assert set(codes((left - right).paint("teal") & s.circle(2).paint("red"))) == {TEAL}


def test_coats_do_not_pile_up() -> None:
    """A chain that is painted again and again has as many parts as shapes."""
    shape = s.circle(0.1)
    for i in range(300):
        shape = (shape | s.circle(0.1).move(i)).paint("red" if i % 2 else "teal")
    assert shape._chain is not None
    for coated in shape._chain[1]:
        assert isinstance(coated._field, Made)
        (below,) = coated._field.shapes
        assert coated._field.coat == RED
        assert not is_painted(below)


def test_a_painted_chain_goes_on_as_the_chain() -> None:
    c = s.circle(0.2)
    assert ((left | right).paint("red") | c).tape() == (left | right | c).tape()
    assert ((left & right).paint("red") & c).tape() == (left & right & c).tape()


def test_the_first_of_equals_shows() -> None:
    assert set(codes(left.paint("red") | left.paint("teal"))) == {RED}
    assert set(codes(s.union(left, left.paint("red"), left.paint("teal")))) == {NO_COLOUR}


def test_variables_of_a_paint_are_bound() -> None:
    r, t = var("r", 0.4), var("t", 0.1)
    made = s.circle(r).paint("red") | s.rectangle(0.6, 0.6).move(t).paint("teal")
    fixed = s.circle(0.4).paint("red") | s.rectangle(0.6, 0.6).move(0.1).paint("teal")
    np.testing.assert_array_equal(codes(made.bind(r=0.4, t=0.1)), codes(fixed))
    lone = s.circle(r).paint("red").bind(r=0.4)
    assert set(codes(lone)) == {RED}


def test_a_bound_variable_does_not_reach_later_ones_of_its_name() -> None:
    r = var("r", 0.5)
    made = s.circle(r).bind(r=0.25).move(r)
    assert made.defaults == {"r": 0.5}
    assert made(0.9, 0.0).tape().variables == ("r",)


@pytest.mark.parametrize(
    ("given", "error"),
    [("crimsn", OptionError), ((1, 2), OptionError), (None, ArgumentTypeError)],
)
def test_what_is_no_colour(given: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="colour"):
        s.circle(1).paint(given)


def test_a_code_stands_where_values_are_nan_too() -> None:
    a, b = s.Shape(sqrt(X) - 0.5).paint("#000"), s.Shape(sqrt(Y)).paint("red")
    c = s.Shape(X / (Y * 0.0)).paint("teal")
    x, y = np.meshgrid(np.linspace(-1, 1, 9), np.linspace(-1, 1, 9))
    for made in (a | b, b | a, a | b | c, a.morph(b, 0.5), s.smooth_union(b, a, radius=0.5)):
        found = codes(made, (x, y))
        assert set(found.ravel()) <= {code_of((0, 0, 0)), RED, TEAL}
        assert np.isnan(value(made, (x, y))).any()


@given(st.integers(0, 0xFFFFFF))
def test_a_float32_holds_every_code(number: int) -> None:
    rgb = number >> 16, number >> 8 & 255, number & 255
    held = np.float32(code_of(rgb))
    assert held == code_of(rgb)
    assert tuple(rgb_of(np.array([held]), (1, 2, 3))[0]) == rgb
    assert tuple(rgb_of(np.float32([NO_COLOUR]), rgb)[0]) == rgb


# Random trees, with values and colours carried by hand. All numbers have few digits, so that the
# oracle's arithmetic is exact and ties are ties.


@dataclass(frozen=True)
class Part:
    """A shape, the same without colours, and by hand: values, codes, whether it has a colour."""

    shape: s.Shape
    bare: s.Shape
    value: Callable[[Any, Any], Any]
    code: Callable[[Any, Any], Any]
    has_colour: bool

    def mapped(
        self, make: Callable[[s.Shape], s.Shape], place: Any = None, then: Any = None
    ) -> Part:
        """The part through an operation on one shape."""
        place, then = place or (lambda *p: p), then or (lambda v: v)
        return replace(
            self,
            shape=make(self.shape),
            bare=make(self.bare),
            value=lambda x, y: then(self.value(*place(x, y))),
            code=lambda x, y: self.code(*place(x, y)),
        )


def joined(make: Any, parts: list[Part], value: Any, key: Any, shown: list[Part]) -> Part:
    """A shape of several; the colour is that of the one of ``shown`` with the least key."""

    def code(x: Any, y: Any) -> Any:
        keys = [key(i, part.value(x, y)) for i, part in enumerate(shown)]
        return np.choose(np.argmin(keys, axis=0), [part.code(x, y) for part in shown])

    has_colour = any(part.has_colour for part in shown)
    return Part(
        make(*(part.shape for part in parts)),
        make(*(part.bare for part in parts)),
        lambda x, y: value(*(part.value(x, y) for part in parts)),
        code if has_colour else (lambda x, y: np.full(x.shape, NO_COLOUR)),
        has_colour,
    )


def smooth(a: Any, b: Any) -> Any:
    return np.minimum(a, b) - np.maximum(0.5 - np.abs(a - b), 0) ** 2 / 2


eighths = st.integers(-12, 12).map(lambda n: n / 8)
COLOURS = {"red": (255, 0, 0), "#00f": (0, 0, 255), "teal": (0, 128, 128)}


@st.composite
def lines(draw: st.DrawFn) -> Part:
    a, b, c = draw(eighths), draw(eighths), draw(eighths)
    shape = s.Shape(X * a + Y * b + c)
    part = Part(
        shape,
        shape,
        lambda x, y: x * a + y * b + c,
        lambda x, y: np.full(x.shape, NO_COLOUR),
        has_colour=False,
    )
    return painted(part, draw(st.sampled_from([None, *COLOURS])))


def painted(part: Part, colour: str | None) -> Part:
    if colour is None:
        return part
    code = code_of(COLOURS[colour])
    return replace(
        part,
        shape=part.shape.paint(colour),
        code=lambda x, y: np.full(x.shape, code),
        has_colour=True,
    )


def of_first(parts: list[Part]) -> list[Part]:
    """The first that has a colour, else the first."""
    return [*(part for part in parts if part.has_colour), parts[0]][:1]


@st.composite
def larger(draw: st.DrawFn, smaller: st.SearchStrategy[Part]) -> Part:
    one, step = draw(smaller), draw(eighths)
    some = [one, *draw(st.lists(smaller, min_size=1, max_size=3))]
    two = some[:2]
    own = lambda _, value: value  # noqa: E731

    def weighted(i: int, value: Any) -> Any:
        return value * (0.75, 0.25)[i]

    makers: dict[str, Callable[[], Part]] = {
        "union": lambda: joined(s.union, some, lambda *v: np.min(v, axis=0), own, some),
        "intersection": lambda: joined(
            s.intersection, some, lambda *v: np.max(v, axis=0), own, of_first(some)
        ),
        "difference": lambda: joined(
            s.difference, two, lambda a, b: np.maximum(a, -b), own, some[:1]
        ),
        "smooth_union": lambda: joined(
            lambda a, b: s.smooth_union(a, b, radius=0.5), two, smooth, own, two
        ),
        "smooth_intersection": lambda: joined(
            lambda a, b: s.smooth_intersection(a, b, radius=0.5),
            two,
            lambda a, b: -smooth(-a, -b),
            own,
            of_first(two),
        ),
        "smooth_difference": lambda: joined(
            lambda a, b: s.smooth_difference(a, b, radius=0.5),
            two,
            lambda a, b: -smooth(-a, b),
            own,
            some[:1],
        ),
        "morph": lambda: joined(
            lambda a, b: a.morph(b, 0.25), two, lambda a, b: a * 0.75 + b * 0.25, weighted, two
        ),
        "invert": lambda: one.mapped(lambda a: ~a, then=lambda v: -v),
        "offset": lambda: one.mapped(lambda a: a.offset(step), then=lambda v: v - step),
        "shell": lambda: one.mapped(lambda a: a.shell(0.5), then=lambda v: np.abs(v) - 0.25),
        "move": lambda: one.mapped(lambda a: a.move(step), lambda x, y: (x - step, y)),
        "rotate": lambda: one.mapped(lambda a: a.rotate(90), lambda x, y: (y, -x)),
        "scale": lambda: one.mapped(
            lambda a: a.scale(2), lambda x, y: (x / 2, y / 2), lambda v: 2 * v
        ),
        "mirror": lambda: one.mapped(lambda a: a.mirror("y"), lambda x, y: (x, np.abs(y))),
        "pickle": lambda: replace(one, shape=pickle.loads(pickle.dumps(one.shape))),
        "paint": lambda: painted(one, draw(st.sampled_from([*COLOURS]))),
        "repeat": lambda: joined(
            lambda a, *_: a.repeat(1, count=2),
            copies := [
                one.mapped(lambda a: a, lambda x, y, dx=dx: (x - dx, y)) for dx in (-0.5, 0.5)
            ],
            lambda *v: np.min(v, axis=0),
            own,
            copies,
        ),
    }
    return makers[draw(st.sampled_from(sorted(makers)))]()


GRID = np.meshgrid(np.linspace(-2, 2, 17), np.linspace(-2, 2, 17))


@given(st.recursive(lines(), larger, max_leaves=8))
def test_random_shapes_show_the_parts_carried_by_hand(part: Part) -> None:
    shape, (x, y) = part.shape, GRID
    assert shape.tape() == part.bare.tape()
    np.testing.assert_array_equal(evaluate(shape, x, y, dtype="float64"), part.value(x, y))
    paint = paint_of(shape)
    assert (paint is not None) == part.has_colour
    if paint is not None:
        found = evaluate(paint, x, y, dtype="float64")
        np.testing.assert_array_equal(found, part.code(x, y))
    assert paint_of(part.bare) is None
