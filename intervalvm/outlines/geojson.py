"""GeoJSON (RFC 7946): a feature for each outer curve, a polygon with its holes.

Outer rings run counter-clockwise and holes clockwise, as the curves of an outline do. Coordinates
are those of the shape. Arcs become lines.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from intervalvm.errors import OptionError
from intervalvm.outlines.svg import hexadecimal

if TYPE_CHECKING:
    from intervalvm.outlines.outline import Outline


def collection(outline: Outline) -> dict[str, Any]:
    """The outline as a FeatureCollection. The colour of a part is the property "fill", its level
    "level", its layer "layer"; an open curve is a LineString."""
    return {"type": "FeatureCollection", "features": _features(outline.flattened())}


def geojson(outline: Outline) -> bytes:
    """The same as the bytes of a file."""
    return json.dumps(collection(outline), separators=(",", ":"), allow_nan=False).encode()


def _features(outline: Outline) -> list[dict[str, Any]]:
    levels, parents = outline.levels.tolist(), outline.parents.tolist()
    closed, areas = outline.is_closed.tolist(), outline.areas.tolist()
    features: dict[int, dict[str, Any]] = {}
    for i, curve in enumerate(outline):
        if parents[i] >= 0:
            continue
        if closed[i] and areas[i] < 0:
            raise OptionError(alone(i))
        properties: dict[str, Any] = {}
        if outline.colours and (rgb := outline.colours[i]):
            properties["fill"] = hexadecimal(rgb)
        if outline.names and (name := outline.names[i]):
            properties["layer"] = name
        if any(levels):
            properties["level"] = levels[i]
        line = (curve + 0.0).tolist()
        kind, places = ("Polygon", [line]) if closed[i] else ("LineString", line)
        geometry = {"type": kind, "coordinates": places}
        features[i] = {"type": "Feature", "geometry": geometry, "properties": properties}
    for i, parent in enumerate(parents):
        if parent >= 0:
            features[parent]["geometry"]["coordinates"].append((outline[i] + 0.0).tolist())
    return list(features.values())


def alone(i: int) -> str:
    """The message about a hole in no curve."""
    return f"curve {i} is a hole in no curve, so it bounds no polygon: give the curve around it too"
