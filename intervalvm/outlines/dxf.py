"""DXF: a closed LWPOLYLINE for each curve, with bulges for arcs; a CIRCLE for a full circle.

ezdxf makes the file around the entities: header, tables, blocks and objects. The entities are
written here, as pairs of a group code and a value: by ezdxf each of their points takes 15 us.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from intervalvm.checks import check_word
from intervalvm.errors import BackendError, install_line
from intervalvm.outlines.segments import Floats, Segments

if TYPE_CHECKING:
    from intervalvm.colours import Rgb
    from intervalvm.outlines.outline import Outline

UNITS = {
    "um": (13, True), "mm": (4, True), "cm": (5, True), "m": (6, True),
    "in": (1, False), "ft": (2, False),
}  # fmt: skip
"""The value of $INSUNITS, and whether the unit is metric."""
VERSIONS = {
    "R12": "AC1009", "R2000": "AC1015", "R2004": "AC1018", "R2007": "AC1021", "R2010": "AC1024",
    "R2013": "AC1027", "R2018": "AC1032",
}  # fmt: skip
OLDEST = VERSIONS["R12"]
"""It has no variables for units, no handles that are needed, and no LWPOLYLINE."""
ENTITIES = "  2\nENTITIES\n"
ROUND = 1e-9
"""Arcs are a full circle if their centres differ by less than this part of the radius, and their
angles from a full turn by less than this."""
FOREGROUND = 7
"""The number of the colour that is black on white, and white on black."""
_fixed = Lock()


def dxf(outline: Outline, *, unit: Any = "mm", version: Any = "R2010") -> bytes:
    """The outline as a DXF file. Raises as ``Outline.save`` does."""
    check_word("unit of a .dxf", unit, UNITS)
    check_word("version", version, VERSIONS)
    (number, is_metric), release = UNITS[unit], VERSIONS[version]
    is_old = release == OLDEST
    with _without_time() as kind:
        drawing = kind.new(release)  # not by ezdxf.new, which logs that R12 has no units
        drawing.header["$HANDLING"] = 0
        if not is_old:
            drawing.header["$INSUNITS"], drawing.header["$MEASUREMENT"] = number, int(is_metric)
        _show_all(drawing, outline)
        for name, part in outline.layers.items():
            rgb = part.colours[0] if part.colours else None
            if name not in drawing.layers:  # all drawings have "0" and "Defpoints"
                drawing.layers.add(name)
            layer = drawing.layers.get(name).dxf
            layer.color, layer.true_color = _nearest(rgb), _packed(rgb)
        owner = "" if is_old else drawing.modelspace().layout_key
        entities = _Entities(owner, drawing.entitydb.next_handle)
        text = "".join(
            text for name, part in outline.layers.items() for text in entities.of_part(name, part)
        )
        frame = io.StringIO()
        drawing.write(frame)
    before, mark, after = frame.getvalue().partition(ENTITIES)
    assert mark, "the file has no section of entities"
    data: bytes = (before + mark + text + after).encode(drawing.output_encoding)
    return data


def _show_all(drawing: Any, outline: Outline) -> None:
    """Set the extent, and the view that a program opens with."""
    (x0, x1), (y0, y1) = outline.bounds
    space = drawing.modelspace()
    space.dxf.extmin, space.dxf.extmax = (x0, y0, 0.0), (x1, y1, 0.0)
    drawing.set_modelspace_vport(1.1 * max(x1 - x0, y1 - y0), ((x0 + x1) / 2, (y0 + y1) / 2))


class _Entities:
    """The tags of entities, with the handles that versions since R2000 need.

    ``owner`` is the handle of the block that they are in, or empty for R12.
    """

    def __init__(self, owner: str, next_handle: Callable[[], str]) -> None:
        self.owner, self.next_handle = owner, next_handle

    def of_part(self, layer: str, part: Outline) -> Iterator[str]:
        """The entity of each curve."""
        bulges = part.bulges or (None,) * len(part)
        closed, circles = part.is_closed.tolist(), _circles(part)
        for i, (curve, bulge) in enumerate(zip(part.curves, bulges, strict=True)):
            if i in circles:
                x, y, radius = circles[i]
                yield self.head("CIRCLE", layer, "AcDbCircle") + _point(10, x, y) + _tag(40, radius)
            elif len(curve) == 2 and (bulge is None or not bulge[0]):
                ends = _point(10, *curve[0].tolist()) + _point(11, *curve[1].tolist())
                yield self.head("LINE", layer, "AcDbLine") + ends
            elif len(curve) == 2:
                yield self.arc(layer, part.segments[part.first[[i]]])
            else:
                yield self.polyline(layer, curve, bulge, closed[i])

    def head(self, kind: str, layer: str, subclass: str) -> str:
        """The tags that all entities have."""
        if not self.owner:
            return _tag(0, kind) + _tag(8, layer)
        handles = _tag(5, self.next_handle()) + _tag(330, self.owner)
        return f"{_tag(0, kind)}{handles}{_tag(100, 'AcDbEntity')}{_tag(8, layer)}" + _tag(
            100, subclass
        )

    def polyline(self, layer: str, curve: Floats, bulge: Floats | None, is_closed: bool) -> str:
        """A closed one does not repeat its first point."""
        points = curve[:-1] if is_closed else curve
        if bulge is not None:
            bulge = bulge if is_closed else np.append(bulge, 0.0)
            points = np.column_stack([points, bulge])
        values = tuple((points + 0.0).ravel().tolist())  # + 0.0: no -0
        flags = _tag(70, int(is_closed))
        if self.owner:
            vertex = NEW_VERTEX if bulge is None else NEW_VERTEX + BULGE
            start = self.head("LWPOLYLINE", layer, "AcDbPolyline") + _tag(90, len(points)) + flags
            return start + vertex * len(points) % values
        vertex = _tag(0, "VERTEX") + _tag(8, layer) + NEW_VERTEX + _tag(30, 0.0)
        vertex = vertex if bulge is None else vertex + BULGE
        start = self.head("POLYLINE", layer, "") + _tag(66, 1) + _point(10, 0.0, 0.0) + flags
        return start + vertex * len(points) % values + _tag(0, "SEQEND") + _tag(8, layer)

    def arc(self, layer: str, arc: Segments) -> str:
        """An open curve of one arc; it is counter-clockwise in DXF."""
        ((x, y),) = arc.centres().tolist()
        ends = np.concatenate([arc.start, arc.stop]) - (x, y)
        angles = np.degrees(np.arctan2(ends[:, 1], ends[:, 0])) % 360
        start, stop = angles.tolist() if arc.bulge[0] > 0 else angles[::-1].tolist()
        circle = _point(10, x, y) + _tag(40, float(arc.radii()[0]))
        kind = _tag(100, "AcDbArc") if self.owner else ""
        return (
            self.head("ARC", layer, "AcDbCircle") + circle + kind + _tag(50, start) + _tag(51, stop)
        )


def _tag(code: int, value: str | float) -> str:
    return f"{code:3d}\n{value}\n"


def _point(code: int, x: float, y: float) -> str:
    return _tag(code, x + 0.0) + _tag(code + 10, y + 0.0) + _tag(code + 20, 0.0)


NEW_VERTEX = _tag(10, "%r") + _tag(20, "%r")
BULGE = _tag(42, "%r")


def _circles(part: Outline) -> dict[int, tuple[float, float, float]]:
    """The centres and the radii of the curves that are a full circle, by their numbers."""
    if part.bulges is None:
        return {}
    segments, first = part.segments, part.first[:-1]
    is_arc = segments.bulge != 0
    arcs = segments[is_arc]
    turned = np.add.reduceat(4 * np.arctan(segments.bulge), first)
    all_arcs = np.logical_and.reduceat(is_arc, first)
    alike = np.abs(np.add.reduceat(np.sign(segments.bulge), first)) == np.diff(part.first)
    may = part.is_closed & all_arcs & alike & (np.abs(np.abs(turned) - 2 * np.pi) < ROUND)
    found = {}
    place = np.cumsum(is_arc) - 1  # of each arc among the arcs
    centres, radii = arcs.centres(), arcs.radii()
    for i in np.flatnonzero(may).tolist():
        mine = place[part.first[i] : part.first[i + 1]]
        (x, y), radius = centres[mine].mean(0).tolist(), float(radii[mine].mean())
        if np.abs(centres[mine] - (x, y)).max() < ROUND * radius:
            found[i] = x, y, radius
    return found


def _packed(rgb: Rgb | None) -> int | None:
    """A true colour, 0xRRGGBB."""
    return None if rgb is None else rgb[0] << 16 | rgb[1] << 8 | rgb[2]


def _nearest(rgb: Rgb | None) -> int:
    """The number of the colour that is most alike among the 255 of old versions."""
    from ezdxf.colors import DXF_DEFAULT_COLORS

    if rgb is None or not any(rgb):
        return FOREGROUND
    known = np.array(DXF_DEFAULT_COLORS[1:])
    parts = np.stack([known >> 16, known >> 8 & 255, known & 255], 1)
    return 1 + int(((parts - rgb) ** 2).sum(1).argmin())


@contextmanager
def _without_time() -> Iterator[Any]:
    """ezdxf's class of drawings, which write no time: files of one outline are the same.

    Raises BackendError without ezdxf.
    """
    try:
        from ezdxf._options import options
        from ezdxf.document import Drawing
    except ImportError:
        raise BackendError(f"a .dxf is written by ezdxf: {install_line('cad')}") from None
    with _fixed:
        before = options.write_fixed_meta_data_for_testing
        options.write_fixed_meta_data_for_testing = True
        try:
            yield Drawing
        finally:
            options.write_fixed_meta_data_for_testing = before
