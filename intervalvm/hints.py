"""Hints in errors: what to write instead of a name that is not there.

The tables hold names of other libraries. Another unknown name is compared with the known ones.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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


def _by_guess(guesses: Mapping[str, str]) -> dict[str, str]:
    """The hint for each guess, from a table of the guesses, in one text, for each hint."""
    return {guess: hint for hint, words in guesses.items() for guess in words.split()}


PACKAGE = _by_guess({
    "minimum(a, b)": "min", "maximum(a, b)": "max", "abs(a), or absolute(a)": "abs",
    "a**n": "pow power", "math.pi": "pi", "math.e": "e", "math.inf": "inf", "math.nan": "nan",
    "(a + b) / 2": "mean", "var(name, default)": "variable param", "constant(value)": "const",
    "render(shape)": "draw show plot", "2 * math.pi": "tau", "load(path)": "read open",
    "save(shape, path)": "write", "evaluate(shape, x, y)": "eval", "grad(shape, x, y)": "gradient",
    "interval(shape, x=(0, 1), y=(0, 1)), or shape.bounds()": "bounds", "x, y, z = axes()": "x y z",
    "(a < b) & (c < d)": "logical_and", "(a < b) | (c < d)": "logical_or",
    "~(a < b)": "logical_not", "Interval": "Box",
})  # fmt: skip
SHAPES = _by_guess({
    "circle(radius)": "disc disk", "ellipse(radius_x, radius_y)": "oval",
    "rectangle(width, width)": "square", "rectangle(width, height)": "rect",
    "polygon(corners)": "triangle hexagon pentagon ngon regular_polygon",
    "segment(start, end, radius), or polygon(corners)": "hull",
    "segment(start, end, radius)": "line stroke stadium", "ring(outer, inner)": "annulus",
    "sphere(radius)": "ball", "box(width, width, width)": "cube",
    "box(width, height, depth)": "cuboid", "torus(radius, tube)": "donut",
    "ring(outer, inner).extrude(height)": "tube", "text(string)": "label",
    "union(a, b)": "add fuse", "intersection(a, b)": "intersect",
    "difference(a, b)": "subtract cut", "~a": "complement", "a.move(x, y)": "translate",
    "a.rotate(degrees)": "rotate", "a.scale(factor)": "scale",
    "a.extrude(height)": "extrude linear_extrude", "a.revolve()": "rotate_extrude lathe",
    "smooth_union(a, b, radius=radius)": "fillet blend",
    "(a | b) - (a & b)": "xor symmetric_difference",
})  # fmt: skip
METHODS = _by_guess({
    "move(x, y)": "translate translated shift at center", "rotate(degrees)": "rotated turn",
    "scale(factor)": "resize", "reflect(axis)": "flip",
    "offset(distance)": "grow dilate inflate round", "offset(-distance)": "erode",
    "shell(thickness)": "outline onion", "repeat(x, y)": "array pattern tile",
    "revolve()": "lathe rotate_extrude", "extrude(height)": "linear_extrude",
    "(a | b) - (a & b)": "xor symmetric_difference",
    "shapes.smooth_union(a, b, radius=radius)": "smooth fillet blend",
    "shapes.segment(start, end, radius), or shapes.polygon(corners)": "hull",
    "a | b": "union fuse add", "a & b": "intersection intersect",
    "a - b": "difference subtract cut", "~a": "complement invert",
    "paint('#c84')": "color colour fill", "ivm.render(shape)": "render draw",
    "ivm.evaluate(shape, x, y)": "evaluate", "shape(x, y), or shape.expr": "field",
    "ivm.grad(shape, x, y)": "grad",
    "ivm.prove(shape).area": "area",
})  # fmt: skip
KEYWORDS = _by_guess({
    "shapes stand about the origin, and .move(x, y) moves one":
        "center at centre position pos origin",
    "a radius is half of it": "diameter", "a width and a height are full ones": "size",
    ".rotate(degrees) turns one": "angle",
})  # fmt: skip
EXPRESSIONS = _by_guess({
    "round(a)": "round", "abs(a)": "abs", "a**n": "pow", "np.minimum(a, b)": "min",
    "np.maximum(a, b)": "max", "a.bind(r=value)": "subs", "ivm.grad(a, x, y)": "diff",
})  # fmt: skip
OF_SHAPES = (
    *("extrude", "loft", "mirror", "morph", "move", "offset", "paint", "reflect"),
    *("repeat", "repeat_around", "revolve", "rotate", "scale", "shell", "taper", "twist"),
)
"""Methods of shapes, which an expression has after ``Shape(a)``."""
PICTURE = _by_guess({
    "image.to_pil()": "to_image", "image.width, image.height": "size",
    "image.shown": "array data numpy to_numpy rgb rgba __array_interface__",
    "image.over(image)": "paste blend composite on",
})  # fmt: skip
IMAGE = PICTURE | _by_guess({
    "image.pixels.shape": "shape",
    "image.pixels.dtype": "dtype",
    "image.pixels": "__array_interface__ array data numpy to_numpy values",
    "image.pixels.tobytes()": "tobytes", "image.colours": "colors rgb",
    "image.coloured": "colormap colour_map cmap palette colored",
    "image.region, image.crop, image.samples()": "frame",
})  # fmt: skip
MESH = _by_guess({
    "mesh.triangles": "faces cells simplices indices", "mesh.vertices": "points verts",
    "mesh.normals": "vertex_normals", "mesh.colours": "colors rgb",
    "mesh.save(path)": "export write_stl to_stl to_file",
    "mesh.to_pyvista().plot()": "show plot", "mesh.bounds": "bbox bounding_box extents",
    "mesh.to_trimesh().is_watertight": "is_watertight watertight",
})  # fmt: skip
OUTLINE = _by_guess({
    "outline.curves, or the outline itself": "paths contours polylines points vertices",
    "outline.to_shapely()": "polygon polygons to_polygons shapely",
    "outline.save(path)": "write export to_svg to_dxf to_file", "outline.svg()": "to_string",
    "outline.bounds": "bbox bounding_box extents", "outline.length": "perimeter",
    "outline.colours": "colors rgb", "outline.parents": "holes hierarchy nesting",
    "outline.offset(distance)": "buffer grow inflate",
})  # fmt: skip
RENDER = {
    "width": "size=(width, height)", "height": "size=(width, height)",
    "resolution": "size=(width, height)", "shape": "size=(width, height)",
    "center": "region=Region.around((x, y), radius)",
    "bounds": "region=(x0, x1, y0, y1)", "extent": "region=(x0, x1, y0, y1)",
    "xlim": "region=(x0, x1, y0, y1)", "ylim": "region=(x0, x1, y0, y1)",
    "workers": "threads=n", "jobs": "threads=n", "processes": "threads=n",
    "precision": "dtype='float64'", "values": "mode='value'", "params": "variables={'r': value}",
    "proven": "prove='point', or prove='area'",
    "rounding": "prove='point', or prove='area', or prove=None",
    "over": "prove='point', or prove='area'",
}  # fmt: skip
RENDER |= dict.fromkeys(("centre", "position", "origin", "zoom"), RENDER["center"])
RENDER |= _by_guess({
    "ink='navy'": "color colour fill foreground",
    "paper='white', or paper='none'": "background bg backdrop transparent",
    "antialias=4": "aa samples supersample oversample smooth",
})  # fmt: skip
"""Replacements for keywords that ``render`` lacks."""
RENDER3D = _by_guess({
    "size=(width, height, depth)": "width height depth resolution shape",
    "view=View.turntable(yaw, pitch, roll)":
        "yaw pitch roll azimuth elevation elev azim rotation angle camera perspective up",
    "view=View.turntable(center=(x, y, z), scale=radius)": "center centre origin scale zoom",
    "view=View.look_at(eye, target)": "eye target position fov",
    "view=View.fit(((x0, x1), (y0, y1), (z0, z1)))": "region bounds box extent",
    "threads=n": "workers jobs processes", "dtype=name": "precision",
    "material='teal', or shape.paint('teal')": "color colour fill ink",
    "background='white', or background='none'": "paper bg backdrop transparent",
    "antialias=2": "aa samples supersample oversample",
    "variables={'r': value}": "params",
})  # fmt: skip
"""Replacements for keywords that ``render3d`` lacks."""
TURNTABLE = _by_guess({
    "yaw, pitch, roll, center, scale, perspective and up by themselves": "view camera",
    "box=((x0, x1), (y0, y1), (z0, z1))": "region bounds extent fit",
    "seconds=frames / fps": "fps rate duration", "frames=n": "count steps turn",
})  # fmt: skip
"""Replacements for keywords that ``turntable`` lacks."""
ANIMATE = RENDER | _by_guess({
    "seconds=frames / fps": "fps rate duration", "variables that f returns": "params parameters",
    "view=View.turntable(yaw, pitch), or turntable(shape, path)": "yaw pitch camera turn",
})  # fmt: skip
"""Replacements for keywords that ``animate`` lacks."""
INTERVAL = {"rounding": "prove='area', or prove=None"}
"""Replacements for keywords that ``interval`` lacks."""
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
"""Replacements for operators that shapes lack, by sign and methods."""


def refusing(kind: C) -> C:
    """Give a class the operators of ``OPERATORS``, which raise ArgumentTypeError with a hint."""

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
    """Carry out ``__getattr__``: raise AttributeError with a hint."""
    if hasattr(type(of), name):  # a property that raised AttributeError itself
        return object.__getattribute__(of, name)
    raise AttributeError(missing(owner, name, guessed, dir(type(of))))


def of_expressions(ufuncs: Iterable[str]) -> dict[str, str]:
    """The hints of expressions, with NumPy's functions and methods of shapes."""
    methods = {name: f"{name}(...)" for name in OF_SHAPES} | {
        guess: hint for guess, hint in METHODS.items() if hint.split("(")[0] in OF_SHAPES
    }
    said = {name: f"Shape(a).{hint}, with intervalvm.shapes" for name, hint in methods.items()}
    said |= {guess: hint for guess, hint in METHODS.items() if hint.startswith("ivm.")}
    return said | {name: f"np.{name}, which works on expressions" for name in ufuncs} | EXPRESSIONS


def missing(owner: str, name: str, guessed: Mapping[str, str], names: Iterable[str]) -> str:
    """The message of an AttributeError. Names with an underscore are probed by libraries."""
    if name.startswith("_") and name not in guessed:
        return f"{owner} has no attribute {name!r}"
    known = [each for each in names if not each.startswith("_")]
    hint = f": write {guessed[name]}" if name in guessed else did_you_mean(name, known)
    return f"{owner} has no attribute {name!r}{hint}"


def hinted(make: Callable[P, T]) -> Callable[P, T]:
    """A public function that raises ArgumentTypeError with a hint for an unknown keyword, and names
    the keyword-only ones for too many positional arguments."""
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
    """A decorator that gives ``f(..., **given)`` the keywords of ``options``, and of ``more``, but
    for those in ``without``.

    Types, ``help``, ``inspect.signature`` and errors are as if they were written out.
    """

    def __init__(
        self,
        options: Callable[P, Any],
        *more: Callable[..., Any],
        without: Collection[str] = (),
    ) -> None:
        self.parameters = [
            p.replace(kind=p.KEYWORD_ONLY)
            for each in (options, *more)
            for p in signature(each).parameters.values()
            if p.name not in without
        ]

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


CONTOUR = {
    "level": "levels=[0.1]", "resolution": "tolerance=0.001", "precision": "tolerance=0.001",
    "size": "tolerance=0.001", "bounds": "region=(x0, x1, y0, y1)", "kerf": "offset=0.1",
    "distance": "offset=0.1",
}  # fmt: skip


def unknown(function: str, name: str, allowed: Sequence[str]) -> str:
    """The message about a keyword that a function does not take."""
    codes = {
        "render": RENDER, "Renderer": RENDER, "render3d": RENDER3D, "interval": INTERVAL,
        "turntable": TURNTABLE, "animate": ANIMATE, "contour": CONTOUR,
    }.get(function)  # fmt: skip
    known = KEYWORDS if codes is None else {name: f"write {code}" for name, code in codes.items()}
    hint = f": {known[name]}" if name in known else did_you_mean(name, allowed)
    others = f", but {', '.join(allowed)}" if allowed else ""
    return f"{function} takes no {name}={others}{hint}"
