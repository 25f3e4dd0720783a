"""Files of what a view shows, for a page to save."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intervalvm.api.contour import contour
from intervalvm.api.mesh import mesh
from intervalvm.api.render import render
from intervalvm.api.render3d import render3d
from intervalvm.errors import OptionError
from intervalvm.raster.job import Progress
from intervalvm.viewer.request import FileKind, Save, Show, Solid, View
from intervalvm.viewer.scene import RENDERING, Scene

SAVED: dict[Show, dict[str, Any]] = RENDERING | {"bitmap": {"antialias": 4}}
"""Of a picture that is saved: a bitmap has smooth edges."""
DEPTH = 7
"""Of a mesh: its cells are a 128th of the solid."""


@dataclass(frozen=True)
class Made:
    """A file for a page."""

    name: str
    mime: str
    content: bytes


def make(scene: Scene, asked: Save, progress: Progress) -> Made:
    """The file that a page asks for. Raises as ``render``, ``contour`` and ``mesh`` do."""
    mime, work = KINDS[asked.format]
    stream = io.BytesIO()
    common = {"variables": scene.settings(asked.view.variables), "progress": progress}
    work(scene, asked.view, common).save(stream, asked.format)
    return Made(f"{Path(scene.name).stem}.{asked.format}", mime, stream.getvalue())


def _picture(scene: Scene, view: View, common: dict[str, Any]) -> Any:
    common |= {"size": view.size, "dtype": view.frame.dtype(view.size)}
    if isinstance(view.what, Solid):
        return render3d(scene.shape, view=view.what.look, mode=view.what.mode, **common)
    region, paper = view.what.region(view.size), view.paper if scene.is_painted else None
    options = {"region": region, "grid": "center", "paper": paper, **SAVED[view.show]}
    image = render(scene.shape, **options, **common)
    return image if image.is_bitmap else image.coloured(isolines=view.isolines)


def _outline(scene: Scene, view: View, common: dict[str, Any]) -> Any:
    if isinstance(view.what, Solid):
        raise OptionError("an .svg is the outline of a plane, and this is a solid: save .stl")
    return contour(scene.shape, region=view.what.region(view.size), **common)


def _surface(scene: Scene, _: View, common: dict[str, Any]) -> Any:
    if not scene.is_solid:
        raise OptionError("an .stl is the surface of a solid, and this is flat: save .svg")
    return mesh(scene.shape, depth=DEPTH, **common)


Work = Callable[[Scene, View, dict[str, Any]], Any]
KINDS: dict[FileKind, tuple[str, Work]] = {
    "png": ("image/png", _picture),
    "svg": ("image/svg+xml", _outline),
    "stl": ("model/stl", _surface),
}
"""The type of a file, and what makes what is saved as it."""
