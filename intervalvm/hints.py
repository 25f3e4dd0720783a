"""What people call things that have another name here, for errors that say so.

There is one name for each thing, so a guess is not an alias: the error has the name. What is not in
these tables is compared with the names that there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from inspect import signature
from typing import ParamSpec, TypeVar

from intervalvm.arguments import did_you_mean
from intervalvm.errors import ArgumentTypeError

P = ParamSpec("P")
T = TypeVar("T")

PACKAGE = {
    "min": "minimum(a, b)", "max": "maximum(a, b)", "abs": "abs(a), or absolute(a)",
    "pow": "a**n", "power": "a**n", "pi": "math.pi", "e": "math.e", "inf": "math.inf",
    "nan": "math.nan", "mean": "(a + b) / 2", "variable": "var(name, default)",
    "param": "var(name, default)", "const": "constant(value)", "draw": "render(shape)",
    "show": "render(shape)", "plot": "render(shape)", "read": "load(path)", "open": "load(path)",
    "write": "save(shape, path)", "eval": "evaluate(shape, x, y)", "gradient": "grad(shape, x, y)",
    "bounds": "interval(shape, x=(0, 1), y=(0, 1))", "x": "x, y, z = axes()",
    "y": "x, y, z = axes()", "z": "x, y, z = axes()", "logical_and": "(a < b) & (c < d)",
    "logical_or": "(a < b) | (c < d)", "logical_not": "~(a < b)",
}  # fmt: skip
SHAPES = {
    "disc": "circle(radius)", "disk": "circle(radius)", "oval": "ellipse(radius_x, radius_y)",
    "square": "rectangle(width, width)", "rect": "rectangle(width, height)",
    "triangle": "polygon(corners)", "hexagon": "polygon(corners)", "pentagon": "polygon(corners)",
    "ngon": "polygon(corners)", "regular_polygon": "polygon(corners)",
    "line": "segment(start, end, radius)", "stroke": "segment(start, end, radius)",
    "stadium": "segment(start, end, radius)", "annulus": "ring(outer, inner)",
    "ball": "sphere(radius)",
    "cube": "box(width, width, width)", "cuboid": "box(width, height, depth)",
    "donut": "torus(radius, tube)", "tube": "ring(outer, inner).extrude(height)",
    "label": "text(string)", "add": "union(a, b)", "fuse": "union(a, b)",
    "intersect": "intersection(a, b)", "subtract": "difference(a, b)", "cut": "difference(a, b)",
    "complement": "~a", "translate": "a.move(x, y)", "rotate": "a.rotate(degrees)",
    "scale": "a.scale(factor)", "extrude": "a.extrude(height)",
}  # fmt: skip
METHODS = {
    "translate": "move(x, y)", "translated": "move(x, y)", "shift": "move(x, y)",
    "at": "move(x, y)", "center": "move(x, y)", "rotated": "rotate(degrees)",
    "turn": "rotate(degrees)", "resize": "scale(factor)", "flip": "reflect(axis)",
    "grow": "offset(distance)", "dilate": "offset(distance)", "inflate": "offset(distance)",
    "erode": "offset(-distance)", "round": "offset(distance)", "outline": "shell(thickness)",
    "onion": "shell(thickness)", "array": "repeat(x, y)", "pattern": "repeat(x, y)",
    "tile": "repeat(x, y)", "lathe": "revolve()", "union": "a | b", "fuse": "a | b",
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


def missing(owner: str, name: str, guessed: Mapping[str, str], names: Iterable[str]) -> str:
    """The message of an AttributeError."""
    known = [each for each in names if not each.startswith("_")]
    hint = f": write {guessed[name]}" if name in guessed else did_you_mean(name, known)
    return f"{owner} has no attribute {name!r}{hint}"


def hinted(make: Callable[P, T]) -> Callable[P, T]:
    """A function of the library that names its keywords where it is given another one."""
    parameters = signature(make).parameters.values()
    allowed = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]

    @wraps(make)
    def call(*args: P.args, **options: P.kwargs) -> T:
        for name in options:
            if name not in allowed:
                raise ArgumentTypeError(_unknown(make.__name__, name, allowed))
        return make(*args, **options)

    return call


def _unknown(function: str, name: str, allowed: list[str]) -> str:
    hint = f": {KEYWORDS[name]}" if name in KEYWORDS else did_you_mean(name, allowed)
    others = f", but {', '.join(allowed)}" if allowed else ""
    return f"{function} takes no {name}={others}{hint}"
