"""Outlines as polygons of shapely, and their offsets, which shapely finds."""

from __future__ import annotations

import math
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from intervalvm.arguments import brief, real
from intervalvm.errors import BackendError, OptionError, install_line
from intervalvm.outlines.choices import chosen
from intervalvm.outlines.geojson import alone
from intervalvm.outlines.segments import Floats

if TYPE_CHECKING:
    from intervalvm.outlines.outline import Outline

JOINS = "round", "mitre", "bevel"
MOST_LINES = 4096
"""The most lines of a quarter of a circle."""
LONGEST_MITRE = 5.0
"""Longer mitres, in units of the distance, are cut off."""


def shapely() -> Any:
    """The library. Raises BackendError without it."""
    try:
        return import_module("shapely")
    except ImportError:
        raise BackendError(f"polygons are made by shapely: {install_line('cad')}") from None


def multipolygon(outline: Outline) -> Any:
    """A valid MultiPolygon of what is inside: parts of different colours are joined.

    Raises OptionError for open curves, holes in no curve, and several levels.
    """
    library = shapely()
    if not outline.is_closed.all():
        raise OptionError(
            "the outline has open curves, which bound no polygon: find it with closed=True"
        )
    if len(np.unique(outline.levels)) > 1:
        raise OptionError(
            "the outline has several levels: take one, as in outline.layers[name].to_shapely()"
        )
    parts = [_polygons(library, part) for part in outline.layers.values()]
    if len(parts) == 1:
        return parts[0]
    joined = library.union_all(parts)
    return joined if joined.geom_type == "MultiPolygon" else library.MultiPolygon([joined])


def _polygons(library: Any, part: Outline) -> Any:
    """Those of one level and colour."""
    flat = part.flattened()
    rings = library.linearrings(np.concatenate(flat.curves), indices=_indices(flat))
    is_hole = flat.areas < 0
    lone = np.flatnonzero(is_hole & (flat.parents < 0))
    if len(lone):
        raise OptionError(alone(int(lone[0])))
    holes: dict[int, list[Any]] = {i: [] for i in np.flatnonzero(~is_hole).tolist()}
    for i in np.flatnonzero(is_hole).tolist():
        holes[int(flat.parents[i])].append(rings[i])
    polygons = [library.Polygon(rings[i], inner) for i, inner in holes.items()]
    return library.MultiPolygon(polygons)


def _indices(outline: Outline) -> Any:
    return np.repeat(np.arange(len(outline)), [len(curve) for curve in outline])


def offset(part: Outline, distance: Any, join: Any, tolerance: float) -> list[Floats]:
    """The curves around what is within a distance of the polygons of one level and colour, or
    deeper inside than a negative one. Lines stay within the tolerance of round corners."""
    library = shapely()
    away = real("distance", distance)
    if not math.isfinite(away):
        raise OptionError(f"distance={brief(distance)}: give a finite number")
    style = chosen("join", join, JOINS)
    high = math.sqrt(min(tolerance / (2 * abs(away) or 1.0), 1.0))  # 0 of a huge distance
    quarter = math.pi / 8 / max(math.asin(high), 1 / MOST_LINES)
    polygons, lines = multipolygon(part), min(math.ceil(quarter), MOST_LINES)
    try:
        around = polygons.buffer(away, join_style=style, quad_segs=lines, mitre_limit=LONGEST_MITRE)
    except library.errors.GEOSException:
        raise OptionError(f"distance={brief(distance)} is beyond what shapely computes") from None
    around = library.orient_polygons(library.remove_repeated_points(around))
    points, owner = library.get_coordinates(
        library.get_rings(library.get_parts(around)), return_index=True
    )
    return np.split(points, np.flatnonzero(np.diff(owner)) + 1) if len(points) else []
