"""What people call things that have another name here, for errors that say so.

There is one name for each thing, so a guess is not an alias: the error has the name. What is not in
these tables is compared with the names that there are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from inspect import signature
from typing import Any, Concatenate, Generic, NoReturn, ParamSpec, TypeVar, overload

from intervalvm.arguments import did_you_mean
from intervalvm.errors import ArgumentTypeError

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C", bound=type)

PACKAGE = {
    "min": "minimum(a, b)", "max": "maximum(a, b)", "abs": "abs(a), or absolute(a)",
    "pow": "a**n", "power": "a**n", "pi": "math.pi", "e": "math.e", "inf": "math.inf",
    "nan": "math.nan", "mean": "(a + b) / 2", "variable": "var(name, default)",
    "param": "var(name, default)", "const": "constant(value)", "draw": "render(shape)",
    "tau": "2 * math.pi",
    "show": "render(shape)", "plot": "render(shape)", "read": "load(path)", "open": "load(path)",
    "write": "save(shape, path)", "eval": "evaluate(shape, x, y)", "gradient": "grad(shape, x, y)",
    "bounds": "interval(shape, x=(0, 1), y=(0, 1))", "x": "x, y, z = axes()",
    "y": "x, y, z = axes()", "z": "x, y, z = axes()", "logical_and": "(a < b) & (c < d)",
    "logical_or": "(a < b) | (c < d)", "logical_not": "~(a < b)", "Box": "Interval",
}  # fmt: skip
SHAPES = {
    "disc": "circle(radius)", "disk": "circle(radius)", "oval": "ellipse(radius_x, radius_y)",
    "square": "rectangle(width, width)", "rect": "rectangle(width, height)",
    "triangle": "polygon(corners)", "hexagon": "polygon(corners)", "pentagon": "polygon(corners)",
    "ngon": "polygon(corners)", "regular_polygon": "polygon(corners)",
    "hull": "segment(start, end, radius), or polygon(corners)",
    "line": "segment(start, end, radius)", "stroke": "segment(start, end, radius)",
    "stadium": "segment(start, end, radius)", "annulus": "ring(outer, inner)",
    "ball": "sphere(radius)",
    "cube": "box(width, width, width)", "cuboid": "box(width, height, depth)",
    "donut": "torus(radius, tube)", "tube": "ring(outer, inner).extrude(height)",
    "label": "text(string)", "add": "union(a, b)", "fuse": "union(a, b)",
    "intersect": "intersection(a, b)", "subtract": "difference(a, b)", "cut": "difference(a, b)",
    "complement": "~a", "translate": "a.move(x, y)", "rotate": "a.rotate(degrees)",
    "scale": "a.scale(factor)", "extrude": "a.extrude(height)",
    "linear_extrude": "a.extrude(height)", "rotate_extrude": "a.revolve()", "lathe": "a.revolve()",
    "fillet": "smooth_union(a, b, radius=radius)", "blend": "smooth_union(a, b, radius=radius)",
    "xor": "(a | b) - (a & b)", "symmetric_difference": "(a | b) - (a & b)",
}  # fmt: skip
METHODS = {
    "translate": "move(x, y)", "translated": "move(x, y)", "shift": "move(x, y)",
    "at": "move(x, y)", "center": "move(x, y)", "rotated": "rotate(degrees)",
    "turn": "rotate(degrees)", "resize": "scale(factor)", "flip": "reflect(axis)",
    "grow": "offset(distance)", "dilate": "offset(distance)", "inflate": "offset(distance)",
    "erode": "offset(-distance)", "round": "offset(distance)", "outline": "shell(thickness)",
    "onion": "shell(thickness)", "array": "repeat(x, y)", "pattern": "repeat(x, y)",
    "tile": "repeat(x, y)", "lathe": "revolve()", "rotate_extrude": "revolve()",
    "linear_extrude": "extrude(height)", "xor": "(a | b) - (a & b)",
    "symmetric_difference": "(a | b) - (a & b)",
    "smooth": "shapes.smooth_union(a, b, radius=radius)",
    "fillet": "shapes.smooth_union(a, b, radius=radius)",
    "blend": "shapes.smooth_union(a, b, radius=radius)",
    "hull": "shapes.segment(start, end, radius), or shapes.polygon(corners)",
    "union": "a | b", "fuse": "a | b",
    "add": "a | b", "intersection": "a & b", "intersect": "a & b", "difference": "a - b",
    "subtract": "a - b", "cut": "a - b", "complement": "~a", "invert": "~a",
    "render": "ivm.render(shape)", "draw": "ivm.render(shape)", "show": "ivm.render(shape)",
    "save": "ivm.save(shape, path), or ivm.render(shape).save(path)",
    "evaluate": "ivm.evaluate(shape, x, y)", "field": "shape(x, y), or shape.expr",
    "grad": "ivm.grad(shape, x, y)", "bounds": "ivm.prove(shape).bounds",
    "area": "ivm.prove(shape).area",
}  # fmt: skip
KEYWORDS = {
    "center": "shapes stand about the origin, and .move(x, y) moves one",
    "at": "shapes stand about the origin, and .move(x, y) moves one",
    "diameter": "a radius is half of it", "size": "a width and a height are full ones",
    "angle": ".rotate(degrees) turns one",
}  # fmt: skip
KEYWORDS |= dict.fromkeys(("centre", "position", "pos", "origin"), KEYWORDS["center"])


EXPRESSIONS = {
    "round": "round(a)", "abs": "abs(a)", "pow": "a**n", "min": "np.minimum(a, b)",
    "max": "np.maximum(a, b)", "subs": "a.bind(r=value)", "diff": "ivm.grad(a, x, y)",
}  # fmt: skip
OF_SHAPES = (
    *("extrude", "loft", "mirror", "morph", "move", "offset", "reflect", "repeat"),
    *("repeat_around", "revolve", "rotate", "scale", "shell", "taper", "twist"),
)
"""What makes a shape of a shape, by name: expressions are made into one first."""
IMAGE = {
    "show": "PIL.Image.fromarray(image.pixels).show()",
    "plot": "PIL.Image.fromarray(image.pixels).show()",
    "to_pil": "PIL.Image.fromarray(image.pixels)", "to_image": "PIL.Image.fromarray(image.pixels)",
    "shape": "image.pixels.shape", "dtype": "image.pixels.dtype",
    "__array_interface__": "image.pixels", "tobytes": "image.pixels.tobytes()",
    "size": "image.width, image.height", "array": "image.pixels", "data": "image.pixels",
    "numpy": "image.pixels", "to_numpy": "image.pixels", "values": "image.pixels",
    "over": "image.prove",
}  # fmt: skip
RENDER = {
    "width": "size=(width, height)", "height": "size=(width, height)",
    "resolution": "size=(width, height)", "shape": "size=(width, height)",
    "center": "region=Region.around((x, y), radius)",
    "bounds": "region=(x0, x1, y0, y1)", "extent": "region=(x0, x1, y0, y1)",
    "xlim": "region=(x0, x1, y0, y1)", "ylim": "region=(x0, x1, y0, y1)",
    "workers": "threads=n", "jobs": "threads=n", "processes": "threads=n",
    "precision": "dtype='float64'", "values": "mode='value'", "params": "variables={'r': value}",
    "rounding": "prove='point'", "over": "prove='area'", "proven": "prove='area'",
}  # fmt: skip
RENDER |= dict.fromkeys(("centre", "position", "origin", "zoom"), RENDER["center"])
"""What to write for a keyword that ``render`` lacks."""
INTERVAL = dict.fromkeys(("rounding", "over"), "prove='area'")
"""What to write for a keyword that ``interval`` lacks."""
OPERATORS = {
    "+ add radd": "a | b, or a.offset(distance)",
    "* mul rmul": "a.scale(factor), or a & b",
    "/ truediv": "a.scale(1 / factor)",
    "^ xor rxor": "(a | b) - (a & b)",
    "< lt le": "a.offset(distance), or a.expr < value",
    "> gt ge": "a.offset(-distance), or a.expr > value",
    "-a neg": "~a",
    "abs(a) abs": "a.shell(thickness)",
}
"""What to write for an operator that shapes lack, by its sign and its methods."""


def refusing(kind: C) -> C:
    """A class of shapes that answers to these operators with an error."""

    def method(sign: str, hint: str) -> Callable[..., NoReturn]:
        def refuse(*_: object) -> NoReturn:
            raise ArgumentTypeError(f"shapes have no operator {sign}: write {hint}")

        return refuse

    for words, hint in OPERATORS.items():
        sign, *names = words.split()
        for name in names:
            setattr(kind, f"__{name}__", method(sign, hint))
    return kind


def lacks(of: object, owner: str, name: str, guessed: Mapping[str, str]) -> Any:
    """What ``__getattr__`` of an object does: raise AttributeError, with a hint."""
    if hasattr(type(of), name):  # a property that failed by itself
        return object.__getattribute__(of, name)
    raise AttributeError(missing(owner, name, guessed, dir(type(of))))


def of_expressions(ufuncs: Iterable[str]) -> dict[str, str]:
    """What people ask of an expression, NumPy's functions and a shape's methods too."""
    methods = {name: f"{name}(...)" for name in OF_SHAPES} | {
        guess: hint for guess, hint in METHODS.items() if hint.split("(")[0] in OF_SHAPES
    }
    said = {name: f"Shape(a).{hint}, with intervalvm.shapes" for name, hint in methods.items()}
    said |= {guess: hint for guess, hint in METHODS.items() if hint.startswith("ivm.")}
    return said | {name: f"np.{name}, which works on expressions" for name in ufuncs} | EXPRESSIONS


def missing(owner: str, name: str, guessed: Mapping[str, str], names: Iterable[str]) -> str:
    """The message of an AttributeError. Names with an underscore are asked for by libraries."""
    if name.startswith("_") and name not in guessed:
        return f"{owner} has no attribute {name!r}"
    known = [each for each in names if not each.startswith("_")]
    hint = f": write {guessed[name]}" if name in guessed else did_you_mean(name, known)
    return f"{owner} has no attribute {name!r}{hint}"


def hinted(make: Callable[P, T]) -> Callable[P, T]:
    """A function of the library that names its keywords where it is given another one.

    It names those that go by name alone where it is given too many values.
    """
    parameters = signature(make).parameters
    own = 1 if "self" in parameters else 0
    by_name = [
        p for p in parameters.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    ]
    allowed = {p.name: p for p in by_name[own:]}
    named = [name for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY]
    first = len(parameters) - len(named)
    if any(p.kind is p.VAR_POSITIONAL for p in parameters.values()) or not named:
        first = sys.maxsize
    function = make.__qualname__.removesuffix(".__init__").rpartition(".")[2]

    @wraps(make)
    def call(*args: P.args, **options: P.kwargs) -> T:
        for name in options:
            if name not in allowed:
                raise ArgumentTypeError(unknown(function, name, [*allowed]))
        if len(args) > first:
            raise ArgumentTypeError(
                f"{function} was given {len(args) - own} values, of which it takes {first - own}: "
                f"the others go by name, as {', '.join(f'{name}=' for name in named)}"
            )
        return make(*args, **options)

    return call


class Takes(Generic[P]):
    """A decorator: ``f(..., **given)`` as if it spelled out what ``options`` takes by name.

    Types, ``help``, ``inspect.signature`` and the error for another name are as if it did.
    """

    def __init__(self, options: Callable[P, Any]) -> None:
        self.parameters = signature(options).parameters.values()

    @overload
    def __call__(
        self, function: Callable[Concatenate[A, B, ...], T]
    ) -> Callable[Concatenate[A, B, P], T]: ...
    @overload
    def __call__(
        self, function: Callable[Concatenate[A, ...], T]
    ) -> Callable[Concatenate[A, P], T]: ...
    def __call__(self, function: Any) -> Any:
        own = signature(function)
        before = [p for p in own.parameters.values() if p.kind is not p.VAR_KEYWORD]
        function.__signature__ = own.replace(parameters=[*before, *self.parameters])
        return hinted(function)


def unknown(function: str, name: str, allowed: Sequence[str]) -> str:
    """The message about a keyword that a function does not take."""
    codes = {"render": RENDER, "Renderer": RENDER, "interval": INTERVAL}.get(function)
    known = KEYWORDS if codes is None else {name: f"write {code}" for name, code in codes.items()}
    hint = f": {known[name]}" if name in known else did_you_mean(name, allowed)
    others = f", but {', '.join(allowed)}" if allowed else ""
    return f"{function} takes no {name}={others}{hint}"
