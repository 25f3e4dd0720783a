"""Render closed-form shapes by interval arithmetic, bit-identical to dense evaluation.

>>> import intervalvm as ivm
>>> x, y, z = ivm.axes()
>>> image = ivm.render(ivm.sqrt(x * x + y * y) - 0.5, size=64)
>>> int((image.pixels == 255).sum())
780
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from intervalvm.errors import (
    BackendError,
    DoesNotFit,
    FileError,
    FormatError,
    IntervalvmError,
    OptionError,
    VariableError,
)
from intervalvm.evaluate.decorated import Decoration
from intervalvm.evaluate.dense import evaluate
from intervalvm.evaluate.folding import fold
from intervalvm.evaluate.gradient import Gradient, grad
from intervalvm.evaluate.regions import Box, interval, simplify
from intervalvm.expr import (
    Expr,
    absolute,
    acos,
    add,
    and_,
    arccos,
    arcsin,
    arctan,
    arctan2,
    asin,
    atan,
    atan2,
    axes,
    ceil,
    compare,
    constant,
    copy,
    cos,
    divide,
    exp,
    expression,
    floor,
    from_sympy,
    ln,
    log,
    maximum,
    minimum,
    mix,
    mod,
    multiply,
    negative,
    not_,
    or_,
    rand,
    reciprocal,
    round,
    sin,
    sqrt,
    square,
    subtract,
    tan,
    trace,
    var,
    where,
)
from intervalvm.render.api import render
from intervalvm.render.grid import Region
from intervalvm.render.image import Image
from intervalvm.render.renderer import Renderer
from intervalvm.tape import Tape
from intervalvm.vmfile import load, parse, save

if TYPE_CHECKING:
    from types import ModuleType

__version__ = "0.1.0"

__all__ = [
    "BackendError",
    "Box",
    "Decoration",
    "DoesNotFit",
    "Expr",
    "FileError",
    "FormatError",
    "Gradient",
    "Image",
    "IntervalvmError",
    "OptionError",
    "Region",
    "Renderer",
    "Tape",
    "VariableError",
    "__version__",
    "absolute",
    "acos",
    "add",
    "and_",
    "arccos",
    "arcsin",
    "arctan",
    "arctan2",
    "asin",
    "atan",
    "atan2",
    "axes",
    "ceil",
    "compare",
    "constant",
    "copy",
    "cos",
    "divide",
    "evaluate",
    "exp",
    "expression",
    "floor",
    "fold",
    "from_sympy",
    "grad",
    "interval",
    "ln",
    "load",
    "log",
    "maximum",
    "minimum",
    "mix",
    "mod",
    "multiply",
    "negative",
    "not_",
    "or_",
    "parse",
    "rand",
    "reciprocal",
    "render",
    "round",
    "save",
    "shapes",
    "simplify",
    "sin",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "trace",
    "var",
    "where",
]


def __getattr__(name: str) -> ModuleType:
    """``intervalvm.shapes`` is imported when it is first used."""
    if name == "shapes":
        from importlib import import_module

        return import_module("intervalvm.shapes")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
