"""What shapes are made from: bad input, expressions as parameters, chains, tapes."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from intervalvm import shapes as s
from intervalvm.api.evaluate import evaluate
from intervalvm.errors import OptionError
from intervalvm.expr import axes, var
from intervalvm.expr.paint import paint_of

if TYPE_CHECKING:
    from collections.abc import Callable

disc = s.circle(0.5)


@pytest.mark.parametrize("wrong", [0, -1, math.nan, math.inf, -math.inf, np.float32(-0.5)])
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("radius", s.circle),
        ("radius", s.sphere),
        ("radius_x", lambda v: s.ellipse(v, 1)),
        ("radius_y", lambda v: s.ellipse(1, v)),
        ("width", lambda v: s.rectangle(v, 1)),
        ("height", lambda v: s.rectangle(1, v)),
        ("width", lambda v: s.rounded_rectangle(v, 1, 0)),
        ("height", lambda v: s.rounded_rectangle(1, v, 0)),
        ("radius", lambda v: s.segment((0, 0), (1, 0), v)),
        ("radius", lambda v: s.arc(v, 0, 90, 0.1)),
        ("width", lambda v: s.arc(1, 0, 90, v)),
        ("outer", lambda v: s.ring(v, 0.1)),
        ("inner", lambda v: s.ring(1, v)),
        ("outer", lambda v: s.star(5, v, 0.1)),
        ("inner", lambda v: s.star(5, 1, v)),
        ("points", lambda v: s.star(v, 1, 0.5)),
        ("width", lambda v: s.box(v, 1, 1)),
        ("height", lambda v: s.box(1, v, 1)),
        ("depth", lambda v: s.box(1, 1, v)),
        ("depth", lambda v: s.rounded_box(1, 1, v, 0)),
        ("radius", lambda v: s.cylinder(v, 1)),
        ("height", lambda v: s.cylinder(1, v)),
        ("radius", lambda v: s.capsule((0, 0, 0), (1, 0, 0), v)),
        ("radius", lambda v: s.cone(v, 1)),
        ("height", lambda v: s.cone(1, v)),
        ("radius", lambda v: s.torus(v, 0.1)),
        ("tube", lambda v: s.torus(1, v)),
        ("period", s.gyroid),
        ("period", s.schwarz_p),
        ("thickness", lambda v: s.neovius(1, v)),
        ("x", disc.scale),
        ("y", lambda v: disc.scale(1, v)),
        ("z", lambda v: disc.scale(1, 1, v)),
        ("x", lambda v: disc.repeat(x=v)),
        ("z", lambda v: disc.repeat(x=1, z=v)),
        ("count", lambda v: disc.repeat(1, count=[v])),
        ("count", disc.repeat_around),
        ("thickness", disc.shell),
        ("height", disc.extrude),
        ("height", lambda v: disc.loft(disc, v)),
        ("height", lambda v: disc.taper(v, 1)),
        ("top", lambda v: disc.taper(1, v)),
        ("radius", lambda v: s.smooth_union(disc, disc, radius=v)),
        ("radius", lambda v: s.smooth_intersection(disc, disc, radius=v)),
        ("radius", lambda v: s.smooth_difference(disc, disc, radius=v)),
    ],
)
def test_a_size_is_finite_and_above_0(name: str, call: Callable[[Any], Any], wrong: Any) -> None:
    with pytest.raises(OptionError, match=rf"^{name}="):
        call(wrong)


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("x", disc.move),
        ("z", lambda v: disc.move(0, 0, v)),
        ("angle", disc.rotate),
        ("angle", disc.twist),
        ("distance", disc.offset),
        ("amount", lambda v: disc.morph(disc, v)),
        ("offset", disc.revolve),
        ("start", lambda v: s.arc(1, v, 90, 0.1)),
        ("stop", lambda v: s.arc(1, 0, v, 0.1)),
        ("top", lambda v: s.cone(1, 1, v)),
        ("radius", lambda v: s.rounded_rectangle(1, 1, v)),
        (r"points\[1\]\[0\]", lambda v: s.polygon([(0, 0), (v, 0), (1, 1)])),
        (r"start\[1\]", lambda v: s.segment((0, v), (1, 1), 0.1)),
        (r"end\[2\]", lambda v: s.capsule((0, 0, 0), (1, 1, v), 0.1)),
        (r"normal\[0\]", lambda v: s.half_plane((v, 1))),
        (r"axis\[1\]", lambda v: disc.rotate(9, (0, v, 1))),
    ],
)
def test_a_number_is_finite(name: str, call: Callable[[Any], Any], wrong: Any) -> None:
    with pytest.raises(OptionError, match=rf"^{name}="):
        call(wrong)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: s.ring(0.5, 0.6), "inner=0.6 is not below outer=0.5"),
        (lambda: s.ring(0.5, 0.5), "inner=0.5 is not below outer=0.5"),
        (lambda: s.star(5, 0.5, 0.6), "inner=0.6 is not below outer=0.5"),
        (lambda: s.star(2, 0.5, 0.3), "points=2 is not a whole number from 3"),
        (lambda: s.star(5.5, 0.5, 0.3), "points=5.5 is not a whole number"),
        (lambda: s.rounded_rectangle(1, 0.4, 0.3), "is above half of the shorter side, 0.2"),
        (lambda: s.rounded_rectangle(1, 0.4, -0.1), "radius=-0.1 is below 0"),
        (lambda: s.rounded_box(1, 1, 0.4, 0.3), "radius=0.3 is above half of the shortest"),
        (lambda: s.torus(0.4, 0.5), "tube=0.5 is above radius=0.4"),
        (lambda: s.cone(1, 1, -0.1), "top=-0.1 is below 0"),
        (lambda: s.arc(1, 90, 90, 0.1), "stop=90 is not between start=90 and a full turn above it"),
        (lambda: s.arc(1, 90, 0, 0.1), "stop=0 is not between"),
        (lambda: s.arc(1, 0, 361, 0.1), "stop=361 is not between"),
        (lambda: s.arc(1, 0, 90, 2.1), "width=2.1 is above twice the radius, 2.0"),
        (lambda: s.segment((1, 2), (1, 2), 0.1), "end=.* is start: they must be apart"),
        (lambda: s.capsule((1, 2, 3), (1, 2, 3), 0.1), "end=.* is start: they must be apart"),
        (lambda: s.half_plane((0, 0)), r"normal=\(0, 0\) has no direction"),
        (lambda: s.half_space((0, 0, 0)), r"normal=\(0, 0, 0\) has no direction"),
        (lambda: s.half_plane((1, 2, 3)), "normal=.* is not 2 numbers"),
        (lambda: s.half_space("abc"), r"normal='abc' is not 3 numbers, such as \(1.0, 0.0, 0.0\)"),
        (lambda: s.segment(1, 2, 3), "start=1 is not 2 numbers"),
        (lambda: disc.rotate(90, (0, 0, 0)), r"axis=\(0, 0, 0\) has no direction"),
        (lambda: disc.rotate(90, "w"), "axis='w': choose 'x', 'y' or 'z'"),
        (lambda: disc.rotate(30, 30), "axis=30: choose 'x', 'y' or 'z', or give a vector, such as"),
        (lambda: disc.rotate(30, (1, 0)), r"axis=\(1, 0\) is not 3 numbers, such as \(1.0, "),
        (lambda: disc.mirror("xy"), "axis='xy': choose"),
        (lambda: disc.reflect(0), "axis=0: choose"),
        (lambda: disc.repeat(), "give the step along an axis"),
        (lambda: disc.repeat(1, 1, count=[1]), r"count=\[1\]: give one number for each of 2 steps"),
        (lambda: disc.repeat(1, count=2.5), "count=2.5 is not a whole number from 1"),
        (lambda: disc.morph(disc, 1.5), "amount=1.5 is above the most, 1.0"),
        (lambda: disc.morph(disc, -0.5), "amount=-0.5 is below 0"),
        (lambda: s.union(), "union of no shapes"),
        (lambda: s.intersection(), "intersection of no shapes"),
        (lambda: s.smooth_union(radius=1), "smooth_union of no shapes"),
        (lambda: s.polygon([]), "points: a polygon has at least 3 corners, not 0"),
        (lambda: s.polygon([(0, 0), (1, 0), (1, 0), (0, 0)]), "at least 3 corners, not 2"),
        (lambda: s.polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), "cross or touch"),
        (lambda: s.polygon([(0, 0), (1, 0), (2, 0)]), "cross or touch"),
        (lambda: s.polygon([(0, 0), (2, 0), (2, 2), (1, 0), (0, 2)]), "cross or touch"),
        (lambda: s.polygon([(0, 0), (2, 0), (2, 1), (2, -1)]), "cross or touch"),
        (lambda: s.polygon([(0, 0, 0), (1, 0, 0), (1, 1, 0)]), r"points\[0\]=.* is not 2 numbers"),
    ],
)  # fmt: skip
def test_what_means_nothing_is_said_at_the_call(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: s.circle("1"),
        lambda: s.circle(None),
        lambda: s.circle(1j),
        lambda: s.star(5, var("r", 1), 0.5),
        lambda: s.polygon([(0, 0), (var("a", 1), 0), (1, 1)]),
        lambda: disc.repeat_around(var("n", 3)),
        lambda: s.union([disc, disc]),
        lambda: s.union(disc, 1),
        lambda: disc | 1,
        lambda: 1 - disc,
        lambda: disc & None,
    ],
)
def test_what_is_no_number_or_shape_is_a_type_error(call: Callable[[], Any]) -> None:
    with pytest.raises(TypeError):
        call()


def value(shape: s.Shape, x: float, y: float, z: float = 0.0, **variables: float) -> float:
    return float(evaluate(shape, x, y, z, dtype="float64", variables=variables or None))


SIZE = 0.37
PARAMETRIC: dict[str, Callable[[Any], s.Shape]] = {
    "circle": s.circle,
    "ellipse": lambda v: s.ellipse(v, 0.5),
    "rectangle": lambda v: s.rectangle(1, v),
    "rounded_rectangle": lambda v: s.rounded_rectangle(1, 1, v),
    "segment": lambda v: s.segment((v, 0), (0.5, v), v),
    "arc": lambda v: s.arc(0.8, v, v * 300, v),
    "ring": lambda v: s.ring(0.9, v),
    "half_plane": lambda v: s.half_plane((v, 1), v),
    "sphere": s.sphere,
    "box": lambda v: s.box(1, v, 1),
    "rounded_box": lambda v: s.rounded_box(1, 1, 1, v),
    "cylinder": lambda v: s.cylinder(v, v),
    "capsule": lambda v: s.capsule((v, 0, 0), (0, v, v), v),
    "cone": lambda v: s.cone(v, 1, v * 0.5),
    "torus": lambda v: s.torus(0.9, v),
    "half_space": lambda v: s.half_space((v, 1, v), v),
    "gyroid": lambda v: s.gyroid(v, v),
    "schwarz_p": s.schwarz_p,
    "schwarz_d": s.schwarz_d,
    "neovius": s.neovius,
    "iwp": s.iwp,
    "smooth_union": lambda v: s.smooth_union(disc, disc.move(v), radius=v),
    "smooth_intersection": lambda v: s.smooth_intersection(disc, disc.move(v), radius=v),
    "smooth_difference": lambda v: s.smooth_difference(disc, disc.move(v), radius=v),
    "move": lambda v: disc.move(v, v, v),
    "rotate": lambda v: s.box(1, 0.5, 0.2).rotate(v * 100).rotate(v * 90, (1, v, 0)),
    "scale": lambda v: disc.scale(v).scale(1, v),
    "repeat": lambda v: disc.repeat(v, count=3).repeat(y=v),
    "offset": disc.offset,
    "shell": disc.shell,
    "morph": lambda v: disc.morph(s.rectangle(1, 1), v),
    "extrude": disc.extrude,
    "revolve": disc.revolve,
    "loft": lambda v: disc.loft(s.rectangle(1, 1), v),
    "twist": lambda v: s.box(1, 0.5, 0.7).twist(v * 90),
    "taper": lambda v: s.box(1, 0.5, 0.7).taper(v, v),
}
FIXED = {
    "Font", "polygon", "star", "text", "union", "intersection", "difference", "mirror", "paint",
    "reflect", "repeat_around",
}  # fmt: skip
"""They have no parameter that may be an expression."""


def test_all_parameters_are_tried_as_expressions() -> None:
    methods = {name for name in dir(s.Shape) if not name.startswith("_")}
    names = (set(s.__all__) | methods) - {
        "Shape", "tape", "defaults", "expr", "bind", "bounds", "save", "show",
    }  # fmt: skip
    assert set(PARAMETRIC) | FIXED == names


@pytest.mark.parametrize("make", PARAMETRIC.values(), ids=PARAMETRIC)
def test_an_expression_stands_for_a_number(make: Callable[[Any], s.Shape]) -> None:
    free, fixed = make(var("v", SIZE)), make(SIZE)
    points = np.random.default_rng(2).uniform(-1, 1, (3, 200))
    assert free.defaults == {"v": SIZE}
    np.testing.assert_allclose(
        evaluate(free, *points, dtype="float64"),
        evaluate(fixed, *points, dtype="float64"),
        rtol=0,
        atol=1e-13,  # numbers are combined before they meet a coordinate, and round otherwise
    )


def test_a_shape_is_a_function_of_the_coordinates() -> None:
    x, y, _ = axes()
    assert (disc(x, y).tape(), disc(x, y, 3.0).tape()) == (disc.tape(), disc.tape())
    assert len(disc(y, x).tape()) == len(disc.tape())
    assert repr(disc) == "<Shape of 8 clauses in x, y>"


def test_what_does_not_move_or_turn_adds_no_clause() -> None:
    assert disc.move().tape() == disc.tape()
    assert disc.rotate(0).tape() == disc.rotate(360).tape() == disc.tape()
    assert disc.scale(1).tape() == disc.scale(1, 1, 1).tape() == disc.tape()
    assert "var-x" not in str(s.half_plane((0, 1)).rotate(180).tape())


@pytest.mark.parametrize("angle", [90, 180, 270, -90, 450])
def test_quarter_turns_are_exact(angle: float) -> None:
    assert "mul" not in s.segment((0, 0), (1, 0), 0.1).rotate(angle).tape().counts()
    turned = s.half_plane((1, 0), 0.25).rotate(angle)
    x, y = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[angle % 360]
    assert value(turned, x, y) == 0.75


def test_a_chain_of_unions_is_one_balanced_tree() -> None:
    dots = [s.circle(0.01).move(i) for i in range(300)]
    chain = dots[0]
    for dot in dots[1:]:
        chain = chain | dot
    assert chain.tape() == s.union(*dots).tape() == s.union(s.union(*dots[:9]), *dots[9:]).tape()
    cut = disc
    for dot in dots:
        cut = cut - dot
    assert cut.tape() == s.difference(disc, *dots).tape()
    assert len((disc & disc & disc | disc).tape()) == len(disc.tape()) + 3


WRAPPED: dict[str, Callable[[s.Shape], s.Shape]] = {
    "move": lambda d: d.move(0.1),
    "rotate": lambda d: d.rotate(10),
    "rotate about": lambda d: d.rotate(10, (1, 1, 0)),
    "scale": lambda d: d.scale(0.99).scale(1, 1.01),
    "reflect": lambda d: d.reflect("x"),
    "mirror": lambda d: d.mirror("y"),
    "repeat": lambda d: d.repeat(3, count=1).repeat(5),
    "repeat_around": lambda d: d.repeat_around(1),
    "extrude": lambda d: d.extrude(1),
    "revolve": lambda d: d.revolve(),
    "loft": lambda d: d.loft(disc, 1),
    "twist": lambda d: d.twist(1),
    "taper": lambda d: d.taper(1, 0.9),
    "offset": lambda d: d.offset(0.01),
    "shell": lambda d: d.shell(0.1),
    "morph": lambda d: d.morph(disc, 0.5),
    "paint": lambda d: d.paint("teal"),
    "__invert__": lambda d: ~d,
    "__or__": lambda d: (d | disc).move(0.1),
    "__and__": lambda d: disc & d.move(0.1),
    "__sub__": lambda d: d.move(0.1) - disc,
    "smooth_union": lambda d: s.smooth_union(d, disc, radius=0.1),
    "bind": lambda d: (d | s.circle(var("r", 1))).bind(r=2),
}


def test_every_way_to_wrap_a_shape_is_tried() -> None:
    methods = {name for name in dir(s.Shape) if not name.startswith("_")}
    assert methods - {"tape", "defaults", "expr", "bounds", "save", "show"} <= set(WRAPPED)


@pytest.mark.parametrize("name", WRAPPED)
def test_shapes_nest_as_deep_as_one_likes(name: str) -> None:
    """Deeper than Python's stack; ``bind`` goes through all that is below, so less deep."""
    shape, painted = disc, disc.paint("red")
    for _ in range(20 if name == "bind" else sys.getrecursionlimit()):
        shape, painted = WRAPPED[name](shape), WRAPPED[name](painted)
    assert len(shape.tape()) >= 8
    assert paint_of(painted) is not None


def test_a_spiral_of_unions_has_clauses_in_proportion() -> None:
    def spiral(turns: int) -> s.Shape:
        shape = s.circle(0.3)
        for _ in range(turns):
            shape = (shape | s.circle(0.1).move(0.5)).rotate(10).scale(0.99)
        return shape

    short, long = (len(spiral(turns).tape()) for turns in (50, 500))
    assert long < 10 * short
    assert value(spiral(200), 0.0, 0.0) == pytest.approx(-0.3 * 0.99**200)


def test_functions_that_nest_too_deep_are_told_what_to_do() -> None:
    def nested(depth: int) -> s.Shape:
        shape = disc
        for _ in range(depth):
            shape = s.Shape(lambda *p, inner=shape: inner(*p))
        return shape

    assert nested(50).tape() == disc.tape()
    with pytest.raises(OptionError, match=r"union\(\*parts\)"):
        nested(5000)


@pytest.mark.parametrize(
    "make",
    [
        lambda: disc.repeat(0.1, count=10**9),
        lambda: disc.repeat(0.1, 0.1, count=10**4),
        lambda: disc.repeat(1, count=10**4).repeat(y=1, count=10**4),
        lambda: disc.repeat_around(10**9),
        lambda: s.star(10**9, 1, 0.5),
        lambda: doubled(disc, 40),
    ],
)
def test_more_parts_than_memory_holds_are_refused_before_they_are_made(
    make: Callable[[], s.Shape],
) -> None:
    with pytest.raises(OptionError, match=r"1,?000,?000"):
        make()


def doubled(shape: s.Shape, times: int) -> s.Shape:
    for _ in range(times):
        shape = (shape | shape.move(0.1)).rotate(1)
    return shape


def test_a_rectangle_asks_a_picture_for_no_root() -> None:
    """What its corners measure is only a number's concern: ``v < 0`` has the cheap form."""
    import intervalvm as ivm

    brick = s.rectangle(1.0, 0.6)
    short = ivm.simplify(brick, x=(0.4, 0.45), y=(0.25, 0.35), keep="sign")
    assert not {"sqrt", "square"} & set(short.counts())
