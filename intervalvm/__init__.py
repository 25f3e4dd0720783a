"""Render closed-form shapes by interval arithmetic, bit-identical to dense evaluation.

>>> import intervalvm as ivm
>>> x, y, z = ivm.axes()
>>> image = ivm.render(ivm.sqrt(x * x + y * y) - 0.5, size=64)
>>> int((image.pixels == 255).sum())
780
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from intervalvm.environment import default_environment, in_default_environment

with default_environment():  # in which Python reads the numbers of a module that it compiles
    from intervalvm.api.render import render
    from intervalvm.api.renderer import Renderer
    from intervalvm.formats.vm import load, parse

from intervalvm import errors as _errors
from intervalvm import late as _late
from intervalvm.api.evaluate import Derivatives, Gradient, evaluate, grad
from intervalvm.errors import *  # noqa: F403 each is in its __all__
from intervalvm.expr import Expr, TapeLike, axes, constant, expression, trace, var, where
from intervalvm.expr import functions as _functions
from intervalvm.expr.functions import *  # noqa: F403 each is in its __all__
from intervalvm.raster.image import Image
from intervalvm.raster.picture import Picture
from intervalvm.raster.region import Region
from intervalvm.raster.stats import Level, Stats
from intervalvm.tape import Tape

if TYPE_CHECKING:
    from intervalvm import shapes
    from intervalvm.api.animate import animate
    from intervalvm.api.bounding import bounding_box
    from intervalvm.api.bounds import Interval, fold, interval, simplify
    from intervalvm.api.contour import contour
    from intervalvm.api.evaluator import Evaluator
    from intervalvm.api.explanation import Why
    from intervalvm.api.kernels import warm_up
    from intervalvm.api.mesh import mesh
    from intervalvm.api.prove import Proof, prove
    from intervalvm.api.render3d import render3d
    from intervalvm.api.save import save
    from intervalvm.api.tiles import tiles
    from intervalvm.api.turntable import turntable
    from intervalvm.api.why import why
    from intervalvm.evaluate.decorated import Decoration
    from intervalvm.formats.sympy import from_sympy
    from intervalvm.meshes.mesh import Mesh, MeshStats
    from intervalvm.outlines.outline import Outline
    from intervalvm.outlines.stats import OutlineStats
    from intervalvm.viewer.opening import view
    from intervalvm.voxel.solid import SolidImage, SolidStats
    from intervalvm.voxel.style import Light
    from intervalvm.voxel.view import View

__version__ = "0.3.0"

__all__ = [
    "Decoration", "Derivatives", "Evaluator", "Expr", "Gradient", "Image", "Interval", "Level",
    "Light", "Mesh", "MeshStats", "Outline", "OutlineStats", "Picture", "Proof", "Region",
    "Renderer", "SolidImage", "SolidStats", "Stats", "Tape", "TapeLike", "View", "Why",
    "__version__", "animate", "axes", "bounding_box", "constant", "contour", "evaluate",
    "expression", "fold", "from_sympy", "grad", "interval", "load", "mesh", "parse", "prove",
    "render", "render3d", "save", "shapes", "simplify", "tiles", "trace", "turntable", "var",
    "view", "warm_up", "where", "why",
]  # fmt: skip
__all__ += _errors.__all__
__all__ += _functions.__all__

# a picture has no use for these: their modules are imported when first used
_late.provided_by({
    "api.animate": "animate",
    "api.bounding": "bounding_box",
    "api.bounds": "Interval fold interval simplify",
    "api.contour": "contour",
    "api.evaluate": "evaluate",
    "api.evaluator": "Evaluator",
    "api.explanation": "Why",
    "api.kernels": "warm_up",
    "api.mesh": "mesh",
    "api.notebook": "html png",
    "api.prove": "Proof prove",
    "api.render3d": "render3d",
    "api.save": "save show",
    "api.tiles": "tiles",
    "api.turntable": "turntable",
    "api.why": "why",
    "evaluate.decorated": "Decoration",
    "expr.ufuncs": "ufunc call_ufunc call_function ufuncs",
    "formats.sympy": "from_sympy",
    "formats.write": "python_source to_dot",
    "meshes.mesh": "Mesh MeshStats",
    "outlines.outline": "Outline",
    "outlines.stats": "OutlineStats",
    "viewer.opening": "view",
    "voxel.solid": "SolidImage SolidStats",
    "voxel.style": "Light",
    "voxel.view": "View",
})  # fmt: skip


@in_default_environment
def __getattr__(name: str) -> object:
    if name == "shapes":
        from importlib import import_module

        return import_module("intervalvm.shapes")
    if name not in __all__:
        raise AttributeError(_missing(name))
    found = globals()[name] = _late.provided(name)
    return found


def _missing(name: str) -> str:
    from importlib.util import find_spec

    owner = f"module {__name__!r}"
    if name.startswith("_") or find_spec(f"{__name__}.{name}"):  # which Python then imports
        return f"{owner} has no attribute {name!r}"
    from intervalvm.expr.ufuncs import UFUNCS
    from intervalvm.hints import PACKAGE, SHAPES, missing
    from intervalvm.shapes import __all__ as shapes

    guessed = {name: f"np.{name}, which works on expressions" for name in UFUNCS}
    guessed |= {name: f"{hint}, with intervalvm.shapes" for name, hint in SHAPES.items()}
    guessed |= {name: f"intervalvm.shapes.{name}" for name in shapes}
    return missing(owner, name, guessed | PACKAGE, __all__)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
