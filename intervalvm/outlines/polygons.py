"""Outlines as polygons of shapely, and their offsets, which shapely finds."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from intervalvm.arguments import brief, real
from intervalvm.checks import check_word
from intervalvm.errors import BackendError, OptionError, install_line
from intervalvm.outlines.checks import FARTHEST
from intervalvm.outlines.geojson import alone
from intervalvm.outlines.segments import Floats
from intervalvm.words import Join

if TYPE_CHECKING:
    from intervalvm.outlines.outline import Outline

LOWEST = 1e-8
"""The height of a line's arc in diameters that is not refined: a quarter has 4,000 of them."""
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
    joined = _of_shapely(library.union_all, parts)
    return joined if joined.geom_type == "MultiPolygon" else library.MultiPolygon([joined])


def _of_shapely(function: Callable[..., Any], *polygons: Any, **options: Any) -> Any:
    """What a function of shapely finds. Raises OptionError for curves that cross."""
    try:
        return function(*polygons, **options)
    except shapely().errors.GEOSException as error:
        raise OptionError(f"shapely finds no polygons, since curves cross: {error}") from None


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
    if not abs(away) <= FARTHEST:
        raise OptionError(f"distance={brief(distance)}: give a finite number, up to {FARTHEST:g}")
    check_word("join", join, get_args(Join))
    high = min(tolerance / (2 * abs(away)), 1.0) if away else 1.0
    quarter = math.pi / 8 / math.asin(math.sqrt(max(high, LOWEST)))
    around = _of_shapely(
        library.buffer,
        multipolygon(part),
        away,
        join_style=join,
        quad_segs=math.ceil(quarter),
        mitre_limit=LONGEST_MITRE,
    )
    around = library.orient_polygons(library.remove_repeated_points(around))
    points, owner = library.get_coordinates(
        library.get_rings(library.get_parts(around)), return_index=True
    )
    return np.split(points, np.flatnonzero(np.diff(owner)) + 1) if len(points) else []
