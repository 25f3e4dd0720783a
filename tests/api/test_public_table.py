"""A table over all public names: each argument of each call, given what it does not take.

Every function of ``intervalvm.__all__`` and ``intervalvm.shapes.__all__``, and every public method
of their classes, is called with arguments that are right but for one, which is each of ``ODD`` in
turn. A call ends in an ``IntervalvmError``, or gives something of use: what it returns is drawn,
evaluated or written, and that may end in such an error too. A new name is in the table by itself;
if it has a parameter of a name that ``RIGHT`` lacks, the table says so.
"""

from __future__ import annotations

import datetime
import inspect
import io
import itertools
import operator
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from support import fonts

import intervalvm as ivm
from intervalvm import shapes
from intervalvm.api.tiles import Tiles

X, Y, Z = ivm.axes()
FORMULA = X * X + Y * Y - ivm.var("r", 0.5)
DISC = shapes.circle(0.5)
BALL = shapes.sphere(0.5)
IMAGE = ivm.render(DISC, size=4, backend="numpy", prove="area")
PLAIN = ivm.Picture(np.zeros((4, 4, 4), np.uint8))
OUTLINE = ivm.Outline([[[-1, 0], [1, 0], [-1, 0]]], [[1, 1]], colours=["teal"])
SIDES = ivm.mesh(shapes.box(1, 1, 1), depth=2)
TEXT = "x var-x\ny var-y\na add x y"

ODD: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "Ellipsis": lambda: ...,
    "an object": object,
    "a type": lambda: int,
    "a function": lambda: lambda: 0,
    "True": lambda: True,
    "NumPy's False": lambda: np.False_,
    "-1": lambda: -1,
    "0": lambda: 0,
    "2**63": lambda: 2**63,
    "10**400": lambda: 10**400,
    "-10**5000": lambda: -(10**5000),
    "nan": lambda: float("nan"),
    "-inf": lambda: -float("inf"),
    "a denormal": lambda: 5e-324,
    "1e308": lambda: 1e308,
    "1j": lambda: 1j,
    "a fraction": lambda: Fraction(1, 3),
    "a huge fraction": lambda: Fraction(10**400, 3),
    "a decimal NaN": lambda: Decimal("sNaN"),
    "NumPy's complex": lambda: np.complex64(1),
    "a float16": lambda: np.float16(0.5),
    "no text": lambda: "",
    "text": lambda: "01",
    "a word": lambda: "nothing that there is",
    "NUL": lambda: "a\0b",
    "half a pair": lambda: "\ud800",
    "bytes": lambda: b"01",
    "a bytearray": lambda: bytearray(b"01"),
    "an empty list": list,
    "a pair": lambda: (0, 1),
    "a pair backwards": lambda: [1, 0],
    "a pair of text": lambda: ("0", "1"),
    "a pair of NaN": lambda: (np.nan, np.nan),
    "a pair of None": lambda: (None, None),
    "a ragged list": lambda: [[1], [2, 3]],
    "a list in a list": lambda: [[[[0]]]],
    "a set": lambda: {0, 1},
    "a dict": lambda: {"r": 1},
    "a dict of numbers": lambda: {1: 2},
    "a dict of text": lambda: {"r": "1"},
    "a dict of another": lambda: {"nobody": 1},
    "a generator": lambda: (i for i in range(2)),
    "a range": lambda: range(3),
    "a date": lambda: datetime.datetime(2000, 1, 1),
    "NumPy's date": lambda: np.datetime64("2000-01-01"),
    "dates": lambda: np.array(["2000-01-01"], "M8[D]"),
    "a record": lambda: np.zeros(2, [("a", "f4"), ("b", "i4")]),
    "objects": lambda: np.array([None, 1], object),
    "an empty array": lambda: np.zeros(0),
    "an array of no dimension": lambda: np.array(0.5),
    "a complex array": lambda: np.zeros(2, complex),
    "an array of text": lambda: np.array(["a", "b"]),
    "an array": lambda: np.arange(6.0).reshape(2, 3),
    "an expression": lambda: X,
    "a shape": lambda: DISC,
    "a tape": lambda: ivm.parse(TEXT),
    "a region": ivm.Region.square,
    "an image": lambda: IMAGE,
    "a stream": io.BytesIO,
}

RIGHT: dict[str, Any] = {
    "a": X, "amount": 0.5, "angle": 30.0, "axis": "z", "b": 0.25, "center": (0, 0), "char": "O",
    "colour": "teal", "condition": X > 0, "count": 3, "dialect": "intervalvm",
    "direction": (0, 1, 1), "distance": 0.1,
    "end": (1, 0, 0), "engine": "dense", "field": lambda x, y: x + y, "file": None, "formula": 0.5,
    "function": lambda x, y: x + y, "height": 1.0, "how": "exact", "i": 0, "inner": 0.2,
    "name": "r", "normal": (1, 0, 0), "outer": 0.5, "path": "out", "period": 0.5, "points": 5,
    "radius": 0.25, "radius_x": 0.5, "radius_y": 0.25, "scale": 1.0, "shape": DISC, "start": 0.0,
    "stop": 90.0, "stream": None, "string": "Hi", "tape": DISC, "text": TEXT, "thickness": 0.1,
    "top": 0.5, "tube": 0.1, "value": 0.5, "width": 1.0, "x": 0.5, "y": 0.25, "z": 0.0,
}  # fmt: skip
"""What is right for a parameter of this name; an option that is not here keeps its default."""
PICTURE = {
    name: option.default
    for name, option in inspect.signature(ivm.render).parameters.items()
    if option.kind is option.KEYWORD_ONLY
} | {"size": 4, "engine": "dense"}  # which compiles nothing
OWN: dict[str, dict[str, Any]] = {
    "Region": {"x": (-1, 1), "y": (-1, 1)},
    "Image.save": {"path": "out.png"},
    "Proof.save": {"path": "out.jsonl"},
    "Region.fitted": {"width": 4, "height": 4},
    "Tape.constants": {"dtype": np.dtype(np.float32)},
    "Tape.settings": {"variables": {"r": 0.5}},
    "Tape.known": {"variables": {"r": 0.5}},
    "Tape.bounds": {"variables": {"r": 0.5}},
    **{name: {"path": "out.vm"} for name in ("save", "Tape.save", "Expr.save", "Shape.save")},
    "Tape.__call__": {"options": {"variables": {"r": 0.5}}},
    "Font": {"path": "font.ttf"},
    "Evaluator.values": {"out": None},
    "Evaluator.gradients": {"out": None},
    "Renderer": {"options": PICTURE},
    "Renderer.render": {"changes": PICTURE},
    "Shape.repeat": {"z": None},
    "Shape.scale": {"z": None},
    "animate": {
        "f": lambda t: {"r": 0.4 + t},
        "frames": 2,
        "path": "out.gif",
        "shape": FORMULA,
        "options": {"size": 4, "engine": "dense"},
    },
    "arc": {"width": 0.1},
    "Shape.loft": {"top": DISC},
    "Shape.morph": {"other": shapes.rectangle(1, 1)},
    "box": {"depth": 1.0},
    "rounded_box": {"depth": 1.0},
    "cone": {"top": 0.0},
    "load": {"path": "a.vm"},
    "Mesh": {"vertices": SIDES.vertices, "triangles": SIDES.triangles, "normals": SIDES.normals},
    "Mesh.save": {"path": "out.stl"},
    "mesh": {"shape": BALL, "depth": 2, "threads": 1},
    "Outline": {"curves": OUTLINE.curves, "bulges": OUTLINE.bulges},
    "Outline.joined": {"layers": {"cut": OUTLINE}},
    "Outline.save": {"path": "out.svg"},
    "contour": {"tolerance": 0.1, "backend": "numpy"},
    "View.turntable": {"center": (0, 0, 0)},
    "View.isometric": {"center": (0, 0, 0)},
    "View.look_at": {"eye": (1, 2, 3), "scale": None},
    "View.fit": {"box": ((-1, 1), (0, 1), (2, 3))},
    "View.fitted": {"x": (0, 1), "y": (0, 1), "z": (0, 1)},
    "render3d": {"shape": BALL, "size": 4},
    "turntable": {"shape": BALL, "path": "out.gif", "frames": 2, "center": (0, 0, 0), "size": 4},
    "Picture": {"shown": PLAIN},
    "Picture.save": {"path": "out.png"},
    **{f"{name}.over": {"below": PLAIN} for name in ("Image", "Picture", "SolidImage")},
    "SolidImage.save": {"path": "out.png"},
    "polygon": {"points": [(0, 0), (1, 0), (0, 1)]},
    "prove": {"resolution": 4, "max_resolution": 8},
    "render": {"size": 4},
    "segment": {"start": (0, 0), "end": (1, 0)},
    "half_plane": {"normal": (1, 0)},
    "capsule": {"start": (0, 0, 0)},
    "simplify": {"x": (0, 1), "y": (0, 1)},
    "tiles": {"size": 4, "tile": 4},
    "warm_up": {"proofs": False},
    "why": {"size": 4},
}
"""What is right for one call alone."""
MANY: dict[str, tuple[Any, ...]] = {
    "dtypes": (), "shapes": (DISC,), "others": (DISC,), "arrays": (0.1, 0.2), "sides": (0.1, 0.2),
}  # fmt: skip
NAMED: dict[str, dict[str, Any]] = {"values": {"r": 0.5}, "named": {"r": 0.5}}
"""What is right for ``*name`` and ``**name``: the odd one comes last, or under a name that is."""

RECORDS = {
    "Decoration", "Derivatives", "Expr", "Gradient", "Image", "Interval", "Level", "MeshStats",
    "OutlineStats", "Proof", "SolidImage", "SolidStats", "Stats", "Tape", "Why",
}  # fmt: skip
"""Classes that functions make instances of: their constructors keep what they are given."""
APART = {
    **dict.fromkeys(
        ("Picture.show", "Image.show", "SolidImage.show", "Tape.show", "Expr.show", "Shape.show"),
        "opens a program of the system's",
    ),
    "view": "serves until an interrupt, and is tested with the viewer",
    "Image.coloured": "is of values, and the image here is proven: see raster/test_palettes",
    "Tape.derived": "keeps whatever the caller computes",
    "Evaluator.tape": "a tape is in the table itself",
    "Tape.of_arrays": "for passes", "Tape.operands": "for passes",
    "Tape.bare": "for evaluators",
    "Tape.constants": "for evaluators",
    "Font.metrics": "for the layout of text", "Font.kerning": "for the layout of text",
    "Font.glyph": "for the layout of text",
    "Font.outline": "for the layout of text", "Font.pens": "for the layout of text",
    "Font.missing": "for the layout of text", "Font.set": "for the layout of text",
}  # fmt: skip
CONVERTED = {"Axes", "Image", "Manifold", "MultiPolygon", "PolyData", "Trimesh"}
"""Types of other libraries that pictures, outlines and meshes are converted to."""
OPERATORS = (
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod,
    operator.pow, operator.and_, operator.or_, operator.xor, operator.lt, operator.ge, operator.eq,
)  # fmt: skip


class Call(NamedTuple):
    """A public callable, its name in the table, and its parameters."""

    name: str
    function: Callable[..., Any]
    parameters: dict[str, inspect.Parameter]


def instances(path: Path) -> dict[type, Any]:
    """One of each public class."""
    return {
        ivm.Interval: ivm.interval(DISC, x=(0, 1), y=0),
        ivm.Decoration: ivm.Decoration.COM,
        ivm.Derivatives: ivm.grad(DISC, 0.1, 0.2, by=("x", "y")),
        ivm.Evaluator: ivm.Evaluator(FORMULA),
        ivm.Expr: FORMULA,
        ivm.Gradient: ivm.grad(DISC, 0.1, 0.2),
        ivm.Image: IMAGE,
        ivm.Level: ivm.Level((4, 4), 64, 1, 2, 61, 1.5),
        ivm.Mesh: SIDES,
        ivm.MeshStats: SIDES.stats,
        ivm.Outline: OUTLINE,
        ivm.OutlineStats: ivm.OutlineStats(12, 1e-5, {"proven": 3}, {"cells": 0.1}),
        ivm.Picture: PLAIN,
        ivm.Stats: IMAGE.stats,
        ivm.Proof: ivm.prove(DISC, resolution=4, engine="dense"),
        ivm.Region: ivm.Region.square(),
        ivm.Renderer: ivm.Renderer(DISC, size=4, engine="dense"),
        ivm.SolidImage: ivm.render3d(BALL, size=4),
        ivm.SolidStats: ivm.render3d(BALL, size=4).stats,
        ivm.View: ivm.View.isometric(),
        ivm.Tape: FORMULA.tape(),
        ivm.Why: ivm.why(DISC, 0.1, 0.2, size=4),
        shapes.Font: shapes.Font(fonts.made(path / "font.ttf")),
        shapes.Shape: shapes.circle(ivm.var("r", 0.5)),
    }


def public() -> Iterator[tuple[str, Any]]:
    for module in (ivm, shapes):
        for name in module.__all__:
            yield name, getattr(module, name)


CLASSES = [kind for _, kind in public() if isinstance(kind, type)]


def calls(made: dict[type, Any]) -> Iterator[Call]:
    """Every public callable there is."""
    for name, found in public():
        is_error = isinstance(found, type) and issubclass(found, ivm.IntervalvmError)
        if callable(found) and name not in RECORDS and not is_error:
            yield Call(name, found, dict(inspect.signature(found).parameters))
    for kind, instance in made.items():
        given = {name for base in (int, tuple) if issubclass(kind, base) for name in dir(base)}
        names = [name for name in dir(kind) if not name.startswith("_") and name not in given]
        for name in [*names, *(["__call__"] if callable(instance) else [])]:
            method = getattr(instance, name)
            if callable(method):
                yield Call(
                    f"{kind.__name__}.{name}", method, dict(inspect.signature(method).parameters)
                )


def taken(call: Call, name: str) -> list[tuple[str, Any]]:
    """What is right for ``**name``."""
    return list(OWN.get(call.name, NAMED).get(name, {}).items())


def arguments_of(call: Call) -> Iterator[str]:
    """The names of all arguments that a call may have."""
    for name, parameter in call.parameters.items():
        if parameter.kind == parameter.VAR_KEYWORD:
            yield from (key for key, _ in taken(call, name))
        else:
            yield name


def right(call: Call, parameter: inspect.Parameter) -> Any:
    """An argument that is taken; ``empty`` to leave it out."""
    own = {**RIGHT, **OWN.get(call.name, {})}
    if parameter.name in own:
        found = own[parameter.name]
        return io.BytesIO() if parameter.name == "stream" else found
    assert parameter.default is not parameter.empty, f"RIGHT lacks {parameter.name} of {call.name}"
    return parameter.default


def arguments(call: Call, wrong: str | None, odd: Any) -> tuple[list[Any], dict[str, Any]]:
    """Right arguments, but for the one that is ``wrong``."""
    places: list[Any] = []
    named: dict[str, Any] = {}
    for name, parameter in call.parameters.items():
        if parameter.kind == parameter.VAR_POSITIONAL:
            places += [*MANY[name], *([odd] if wrong == name else [])]
        elif parameter.kind == parameter.VAR_KEYWORD:
            named |= {key: odd if wrong == key else value for key, value in taken(call, name)}
        else:
            value = odd if wrong == name else right(call, parameter)
            if parameter.kind == parameter.KEYWORD_ONLY:
                named[name] = value
            else:
                places.append(value)
    return places, named


def use(result: Any) -> None:
    """Use what a call returned: it must be of use, or say why not."""
    if isinstance(result, (ivm.Expr, shapes.Shape)):
        result = result.tape()
    if isinstance(result, ivm.Renderer):
        result = result.render()
    if isinstance(result, ivm.Tape):
        result.check()
        free = dict.fromkeys(result.variables, 0.5)
        result = ivm.evaluate(result, np.array([0.1, 0.2]), 0.3, variables=free)
    if isinstance(result, ivm.Image):
        assert result.pixels.dtype in (np.uint8, np.float32, np.float64)
        assert result.pixels.shape == (result.height, result.width)
        assert all(map(np.isfinite, (*result.region.x, *result.region.y)))
        result.write(io.BytesIO(), "png")
    elif isinstance(result, ivm.Picture):
        assert result.shown.shape[:2] == (result.height, result.width)
        result.write(io.BytesIO(), "png")
    elif isinstance(result, ivm.Outline):
        assert all(np.isfinite(curve).all() for curve in result)
        result.save(io.BytesIO(), "geojson")
    elif isinstance(result, ivm.Mesh):
        assert not np.isnan([result.volume, result.area]).any()
        if len(result.triangles):
            result.save(io.BytesIO(), "stl")
    elif isinstance(result, ivm.View):
        assert str(result)
        use(ivm.render3d(BALL, size=4, view=result, dtype="float64"))
    elif isinstance(result, ivm.Light):
        use(ivm.render3d(BALL, size=4, lights=[result], engine="dense"))
    elif isinstance(result, ivm.Region):
        use(ivm.render(DISC, size=4, region=result, engine="dense", dtype="float64"))
    elif isinstance(result, ivm.Gradient):
        assert len({part.shape for part in result}) == 1
    elif isinstance(result, ivm.Derivatives):
        assert len({part.shape for part in (result.value, *result.by.values())}) == 1
    elif isinstance(result, ivm.Interval):
        assert np.shape(result.lower) == np.shape(result.upper) == np.shape(result.maybe_nan)
        assert not np.isnan([result.lower, result.upper]).any()
        assert str(result) or not np.size(result.lower)
    elif isinstance(result, ivm.Why):
        assert str(result)
        assert result.as_json()["inside"] is (result.value < 0)
    elif isinstance(result, Tiles):
        use(result[0])
    elif isinstance(result, ivm.Evaluator):
        use(result.values(*[0.5] * len(result.inputs)))
    elif isinstance(result, list):
        for each in result:
            use(each)
    elif isinstance(result, ivm.Proof):
        assert result.verdict in ("empty", "full", "crossed", "undecided")
    elif isinstance(result, (np.ndarray, np.generic)):
        assert result.dtype.kind in "fui"
    elif type(result).__name__ in CONVERTED:
        assert getattr(result, "is_valid", True)
    else:
        known = (str, bytes, int, float, dict, tuple, shapes.Font, ivm.Decoration)
        assert result is None or isinstance(result, known), type(result)


@contextmanager
def bounded(seconds: int = 120) -> Iterator[None]:
    """A call that has no end fails, and not the whole run with it."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def ring(*_: Any) -> None:
        raise AssertionError("the call has no end")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Call]:
    return {call.name: call for call in calls(instances(tmp_path_factory.mktemp("table")))}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.vm").write_text(TEXT, encoding="utf-8")
    fonts.made(tmp_path / "font.ttf")


def test_no_public_name_is_left_out(table: dict[str, Call]) -> None:
    errors = {kind.__name__ for kind in CLASSES if issubclass(kind, ivm.IntervalvmError)}
    functions = {name for name, found in public() if callable(found)}
    assert functions - errors - RECORDS <= set(table)
    assert {f"{kind}.{method}" for kind, method in [
        ("Expr", "bind"), ("Font", "outline"), ("Image", "save"), ("Proof", "save"),
        ("Region", "around"), ("Renderer", "render"), ("Shape", "move"), ("Tape", "__call__"),
    ]} <= set(table)  # fmt: skip
    assert set(APART) <= set(table)


@pytest.mark.parametrize("odd", ODD)
def test_each_argument_given_what_it_does_not_take(odd: str, table: dict[str, Call]) -> None:
    faults: list[str] = []
    for call in table.values():
        if call.name in APART:
            continue
        for wrong in arguments_of(call):
            if wrong == "progress" and callable(ODD[odd]()):
                continue  # it is called, and what it then raises is its own
            places, named = arguments(call, wrong, ODD[odd]())
            try:
                with bounded():
                    use(call.function(*places, **named))
            except ivm.IntervalvmError:
                pass
            except BaseException as error:
                faults.append(f"{call.name}({wrong}={odd}): {type(error).__name__}: {error}"[:200])
    assert not faults, "\n".join(faults)


def is_ours(error: BaseException) -> bool:
    """Whether this package raised it: what Python or another type says is theirs."""
    *_, last = traceback.extract_tb(error.__traceback__)
    return Path(last.filename).is_relative_to(Path(ivm.__file__).parent)


@pytest.mark.parametrize("one", [FORMULA, FORMULA > 0, DISC], ids=["expression", "truth", "shape"])
@pytest.mark.parametrize("odd", ODD)
def test_each_operator_given_what_it_does_not_take(odd: str, one: Any) -> None:
    faults: list[str] = []
    for do, is_left in itertools.product(OPERATORS, (True, False)):
        other = ODD[odd]()
        try:
            with bounded():
                result = do(one, other) if is_left else do(other, one)
                if isinstance(result, (ivm.Expr, shapes.Shape)):
                    use(result)
        except ivm.IntervalvmError:
            pass
        except BaseException as error:
            if is_ours(error) or not isinstance(error, Exception):
                faults.append(f"{do.__name__}({odd}): {type(error).__name__}: {error}"[:200])
    assert not faults, "\n".join(faults)


def test_the_right_arguments_are_right(table: dict[str, Call]) -> None:
    """Else every call would end in an error for a reason of its own."""
    for call in table.values():
        if call.name not in APART:
            places, named = arguments(call, None, None)
            use(call.function(*places, **named))
