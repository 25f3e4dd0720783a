"""Names that people guess: the error has the name that there is."""

from __future__ import annotations

import inspect
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image
import pytest

import intervalvm as ivm
from intervalvm import hints, shapes
from intervalvm.expr.ufuncs import UFUNCS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

disc = shapes.circle(0.5)
package: Any = ivm
module: Any = shapes
shape: Any = disc
X, Y, _ = ivm.axes()
expression: Any = X
image: Any = ivm.render(disc, size=8)


@pytest.mark.parametrize(
    ("owner", "name", "said"),
    [
        (package, "min", "minimum(a, b)"),
        (package, "max", "maximum(a, b)"),
        (package, "abs", "abs(a)"),
        (package, "pi", "math.pi"),
        (package, "arcsinh", "np.arcsinh"),
        (package, "clip", "np.clip"),
        (package, "circle", "intervalvm.shapes.circle"),
        (package, "hexagon", "polygon(corners), with intervalvm.shapes"),
        (package, "rendre", "did you mean 'render'"),
        (module, "hexagon", "polygon(corners)"),
        (module, "line", "segment(start, end, radius)"),
        (module, "circel", "did you mean 'circle'"),
        (shape, "translate", "move(x, y)"),
        (shape, "rotat", "did you mean 'rotate'"),
        (package, "tau", "2 * math.pi"),
        (module, "rotate_extrude", "a.revolve()"),
        (module, "hull", "segment(start, end, radius), or polygon(corners)"),
        (shape, "fillet", "shapes.smooth_union(a, b, radius=radius)"),
        (expression, "sqrt", "np.sqrt, which works on expressions"),
        (expression, "move", "Shape(a).move(...), with intervalvm.shapes"),
        (expression, "translate", "Shape(a).move(x, y), with intervalvm.shapes"),
        (expression, "render", "ivm.render(shape)"),
        (expression, "min", "np.minimum(a, b)"),
        (expression, "defaluts", "did you mean 'defaults'"),
        (image, "array", "image.pixels"),
        (image, "heigth", "did you mean 'height'"),
    ],
)
def test_a_guess_is_answered_with_the_name(owner: Any, name: str, said: str) -> None:
    with pytest.raises(AttributeError, match=f"no attribute '{name}'.*{re.escape(said)}"):
        getattr(owner, name)
    assert not hasattr(owner, name)


WORDS: dict[str, Any] = {
    "math": math, "np": np, "PIL": PIL, "ivm": ivm, "shapes": shapes, "shape": disc, "image": image,
    "name": "r", "default": 0.5, "value": 1.0, "n": 2,
    "x": 0.25, "y": 0.5, "degrees": 30.0, "factor": 2.0, "axis": "x", "distance": 0.1,
    "thickness": 0.1, "radius": 0.25, "width": 1.0, "height": 2.0, "depth": 1.0, "radius_x": 1.0,
    "radius_y": 2.0, "corners": [(0, 0), (1, 0), (0, 1)], "start": (0, 0), "end": (1, 0),
    "outer": 1.0, "inner": 0.5, "tube": 0.1, "string": "a",
}  # fmt: skip
"""What the words of the hints stand for."""


@pytest.mark.parametrize(
    ("owner", "table", "operands"),
    [
        (package, hints.PACKAGE, (X, Y, X * Y, X - Y)),
        (module, hints.SHAPES, (disc, disc.move(1))),
        (shape, hints.METHODS, (disc, disc.move(1))),
        (expression, hints.EXPRESSIONS, (ivm.var("r", 0.5) * X, Y)),
        (image, hints.IMAGE, ()),
    ],
    ids=["package", "shapes", "methods", "expressions", "image"],
)
def test_no_guess_is_a_name_and_every_hint_runs(
    owner: Any, table: dict[str, str], operands: tuple[Any, ...], tmp_path: Path
) -> None:
    place = tmp_path / "shape.vm"
    ivm.save(disc, place)
    own = {name: getattr(owner, name) for name in dir(owner) if not name.startswith("_")}
    words = own | WORDS | {"path": place} | dict(zip("abcd", operands, strict=False))
    for guess, hint in table.items():
        assert not hasattr(owner, guess), guess
        for way in hint.split(", or "):
            if guess == "save" and "render" in way:
                words["path"] = tmp_path / "shape.png"
            exec(way.removesuffix(".show()"), dict(words))


def test_pillow_says_what_to_give_it() -> None:
    with pytest.raises(AttributeError, match=r"__array_interface__': write image\.pixels"):
        PIL.Image.fromarray(image)
    assert PIL.Image.fromarray(image.pixels).mode == "L"


def test_every_method_of_a_shape_is_found_from_an_expression() -> None:
    methods = {name for name in dir(shapes.Shape) if not name.startswith("_")}
    assert set(hints.OF_SHAPES) == methods - set(dir(ivm.Expr)) - {"expr"}
    for hint in hints.of_expressions(UFUNCS).values():
        if found := re.match(r"Shape\(a\)\.(\w+)", hint):
            assert found[1] in methods


@pytest.mark.parametrize("words", hints.OPERATORS)
def test_an_operator_that_shapes_lack_is_answered_with_what_they_have(words: str) -> None:
    sign, *methods = words.split()
    hint = hints.OPERATORS[words]
    for method in methods:
        others = () if method in ("neg", "abs") else (2,)
        with pytest.raises(ivm.ArgumentTypeError, match=re.escape(f"{sign}: write {hint}")):
            getattr(disc, f"__{method}__")(*others)
    for way in hint.split(", or "):
        eval(way, WORDS | {"a": disc, "b": disc.move(1)})


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: shape + shape, lambda: 2 * shape, lambda: np.float64(2) * shape, lambda: shape / 2,
        lambda: shape ^ shape, lambda: shape < 0.1, lambda: shape >= X, lambda: -shape,
        lambda: sum([shape, shape]), lambda: X + shape, lambda: sorted([shape, shape]),
    ],
)  # fmt: skip
def test_operators_with_something_else_too(wrong: Callable[[], Any]) -> None:
    with pytest.raises(ivm.ArgumentTypeError, match="shapes have no operator"):
        wrong()
    assert shape == shape
    assert shape != disc.move(0)


def test_a_keyword_of_render_is_answered_with_what_to_write() -> None:
    calls: tuple[Any, ...] = (ivm.render, ivm.Renderer)
    words = WORDS | {"width": 8, "height": 8, "x0": -1, "x1": 1, "y0": -1, "y1": 1}
    words |= {"Region": ivm.Region, "shape": ivm.var("r") * X}
    for guess, code in hints.RENDER.items():
        for call in calls:
            with pytest.raises(ivm.ArgumentTypeError, match=f"{guess}=.*{re.escape(code)}$"):
                call(disc, **{guess: 1})
        size = "" if "size" in code else ", size=8"
        unset = "" if "variables" in code else ", variables={'r': 1}"
        for way in code.split(", or "):
            eval(f"ivm.render(shape, {way}{size}{unset})", words)


def test_a_value_without_its_name_is_told_the_names() -> None:
    render: Any = ivm.render
    with pytest.raises(ivm.ArgumentTypeError, match="takes 1: the others go by name, as size="):
        render(disc, 512)


def test_every_hint_about_a_keyword_runs() -> None:
    for hint in hints.KEYWORDS.values():
        for way in re.findall(r"\.\w+\(.*?\)", hint):
            eval(f"shape{way}", dict(WORDS))


def test_what_is_of_numpy_or_of_shapes_is_said_so() -> None:
    for name in {*UFUNCS, *shapes.__all__} - set(dir(ivm)):
        with pytest.raises(AttributeError, match="write "):
            getattr(package, name)


def test_an_error_inside_a_field_is_not_taken_for_a_guess() -> None:
    with pytest.raises(AttributeError, match="'Expr' object has no attribute 'nothing'"):
        shapes.Shape(lambda x, y, z: x.nothing)


MAKERS = [
    made for name in shapes.__all__ if inspect.isfunction(made := getattr(shapes, name))
]  # fmt: skip


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_a_shape_has_no_place(make: Callable[..., Any]) -> None:
    with pytest.raises(ivm.ArgumentTypeError, match=rf"{make.__name__} takes no center=.*\.move"):
        make(center=(0.5, 0.5))
    with pytest.raises(ivm.ArgumentTypeError, match=f"{make.__name__} takes no qqq="):
        make(qqq=1)


def test_a_keyword_with_a_slip_is_told_the_right_one() -> None:
    wrong: Any = shapes.circle
    with pytest.raises(TypeError, match="did you mean 'radius'"):
        wrong(raduis=1)


# --- a point where coordinates are meant --------------------------------------------------------


def test_move_takes_a_point() -> None:
    for point in ((0.5, 0.25), [0.5, 0.25], np.array([0.5, 0.25])):
        assert disc.move(point).tape() == disc.move(0.5, 0.25).tape()
    assert disc.move((0, 0, 1)).tape() == disc.move(0, 0, 1).tape()
    assert disc.move((ivm.var("a", 1), 2)).tape() == disc.move(ivm.var("a"), 2).tape()


@pytest.mark.parametrize("wrong", [((1,),), ((1, 2), 3), ((1, 2, 3, 4),), ((),), ((1, 2), 0, 1)])
def test_half_a_point_is_refused(wrong: Any) -> None:
    with pytest.raises(ivm.OptionError, match="one point of 2 or 3 numbers"):
        disc.move(*wrong)


@pytest.mark.parametrize("wrong", ["ab", ("a", "b"), (1, None)])
def test_a_point_holds_numbers(wrong: Any) -> None:
    with pytest.raises(ivm.ArgumentTypeError, match="is a number or an expression"):
        disc.move(wrong)


@pytest.mark.parametrize("word", ["rounding", "over", "proven"])
def test_a_word_that_had_two_values_is_told_what_each_is_now(word: str) -> None:
    """One of them alone would be followed to a weaker proof."""
    x, _, _ = ivm.axes()
    for call in (ivm.render, ivm.Renderer):
        with pytest.raises(ivm.ArgumentTypeError, match=r"prove='point', or prove='area'"):
            call(x, **{word: "outward"})
