"""A shape that is shown: its facts, and a picture for each view, as bytes for a page."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from intervalvm.api.bounding import bounding_box
from intervalvm.api.render3d import render3d
from intervalvm.api.renderer import Renderer
from intervalvm.errors import IntervalvmError, OptionError
from intervalvm.evaluate.points import reads
from intervalvm.expr import TapeLike, as_tape
from intervalvm.expr.convert import defaults_of
from intervalvm.expr.paint import paint_of
from intervalvm.raster.grid import coordinates
from intervalvm.raster.job import Progress
from intervalvm.viewer.encoding import ENCODERS, encoded, encoded_tiles
from intervalvm.viewer.request import MOST_NUMBER, Show, Solid, View, Why

FIRST_SIZE = 1600, 1000
"""Of the picture that makes kernels and plans ready."""
RENDERING: dict[Show, dict[str, Any]] = {
    "bitmap": {},
    "value": {"mode": "value"},
    "proven": {"prove": "area"},
}
"""The options of each kind of picture of a plane."""
BEYOND = "pixels are nearer to each other than float64 numbers are here: each shows the nearest one"
UNSET = 0.5
"""The value of a variable without a default."""
Size = tuple[int, int]


@dataclass(frozen=True)
class Drawn:
    """A picture as bytes, and what is told of it: fields of the message that carries it."""

    facts: dict[str, Any]
    payload: bytes


class Scene:
    """A shape and what is kept to draw it fast. Threads may share it."""

    def __init__(
        self, shape: TapeLike, name: str, variables: Mapping[str, float] | None = None
    ) -> None:
        self.shape, self.name = shape, name
        self.tape = as_tape(shape)
        values = {**defaults_of(shape), **(variables or {})}
        self.variables = {name: _settable(values.get(name, UNSET)) for name in self.tape.variables}
        self.is_solid = "z" in reads(self.tape)
        self.is_painted = paint_of(shape) is not None
        self.bounds: list[tuple[float, float]] | None = None
        self.bounds_known = threading.Event()
        self._renderers: dict[tuple[str, str], Renderer] = {}

    def facts(self) -> dict[str, Any]:
        """What a page is told of the shape."""
        return {
            "name": self.name,
            "kind": "solid" if self.is_solid else "plane",
            "clauses": len(self.tape),
            "variables": [_slider(name, value) for name, value in self.variables.items()],
            "bounds": self.bounds,
            "painted": self.is_painted,
        }

    def prepare(self) -> None:
        """Make ready what the first picture needs, then find the bounds."""
        try:
            if self.is_solid:
                render3d(self.shape, size=64, variables=self.variables)
            else:
                self._renderer("bitmap", "float32").render(
                    size=FIRST_SIZE, variables=self.variables
                )
            box = bounding_box(self.shape, variables=self.variables)
            self.bounds = None if box is None else list(box)
        except (IntervalvmError, MemoryError):
            pass  # a view tells, and what has no end has no bounds
        finally:
            self.bounds_known.set()

    def draw(self, view: View, size: Size, progress: Progress) -> Drawn:
        """The picture of a view, in ``size`` pixels. Raises as ``render`` and ``render3d`` do.

        ``progress`` may raise to end it.
        """
        start, dtype = time.perf_counter(), view.frame.dtype(size)
        common: dict[str, Any] = {
            "size": size,
            "variables": self.settings(view.variables),
            "progress": progress,
        }
        tiles: tuple[int | None, bytes] = None, b""
        if isinstance(view.what, Solid):
            solid = render3d(
                self.shape, view=view.what.look, mode=view.what.mode, dtype=dtype, **common
            )
            format, picture = encoded(solid, lossless=not view.moving)
            inside = solid.stats.voxels["hit"]
        else:
            image = self._renderer(view.show, dtype).render(
                region=view.what.region(size),
                paper=view.paper if self.is_painted else None,
                **common,
            )
            format, picture = ENCODERS[view.show](image, view)
            inside = image.stats.pixels["inside"]
            if view.with_tiles:
                tiles = encoded_tiles(image)
        level, map_bytes = tiles
        facts = {
            "size": list(size),
            "format": format,
            "picture_bytes": len(picture),
            "tiles": None if level is None else {"level": level},
            "dtype": dtype,
            "inside": inside,
            "notice": BEYOND if view.frame.is_beyond(size) else None,
            "seconds": time.perf_counter() - start,
        }
        return Drawn(facts, picture + map_bytes)

    def settings(self, given: Mapping[str, float]) -> dict[str, float]:
        """The values of variables. A page may still name one that the file no longer has."""
        return {name: given.get(name, value) for name, value in self.variables.items()}

    def explain(self, asked: Why) -> dict[str, Any]:
        """Why a pixel is as it is: facts, and longer texts. Raises as ``intervalvm.why`` does."""
        from intervalvm.api.why import why

        frame, size = asked.view.what, asked.view.size
        if isinstance(frame, Solid):
            raise OptionError("a pixel of a solid has no answer: ask of a shape in the plane")
        region, dtype = frame.region(size), frame.dtype(size)
        columns, rows = coordinates(region, *size, "center", dtype)
        x, y = columns[asked.at[0]], rows[asked.at[1]]
        found = why(
            self.shape, x, y, size=size, region=region, grid="center", dtype=dtype,
            variables=self.settings(asked.view.variables),
        )  # fmt: skip
        facts = found.as_json()
        told = {name: facts[name] for name in ("value", "inside", "verdict", "clauses", "of")}
        return {"x": str(x), "y": str(y), **told, **found.texts()}

    def _renderer(self, show: Show, dtype: str) -> Renderer:
        """The renderer of a kind of picture; it keeps what neighbouring frames share."""
        found = self._renderers.get((show, dtype))
        if found is None:
            found = Renderer(self.shape, dtype=dtype, grid="center", **RENDERING[show])
            self._renderers[show, dtype] = found
        return found


def _slider(name: str, value: float) -> dict[str, Any]:
    """A variable with the ends of its slider: 0 and twice its value, or -1 and 1 of 0."""
    low, high = sorted((0.0, _settable(2.0 * value))) if value else (-1.0, 1.0)
    return {"name": name, "value": value, "low": low, "high": high}


def _settable(value: float) -> float:
    """The nearest value that a page can ask for; ``UNSET`` for NaN."""
    return UNSET if math.isnan(value) else min(max(value, -MOST_NUMBER), MOST_NUMBER)
