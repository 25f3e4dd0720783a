"""``intervalvm contour``: the outline of a shape as curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from intervalvm.api.contour import contour as make_outline
from intervalvm.cli.making import Making, run
from intervalvm.cli.streams import solid_of, tell
from intervalvm.outlines.saving import FORMATS

if TYPE_CHECKING:
    import argparse

    from intervalvm.outlines.outline import Outline


def contour(options: argparse.Namespace) -> int:
    """Run the command."""
    options.closed = not options.open
    kind = Making(make_outline, "tracing", FORMATS, _facts, _summary)
    saving = {
        "unit": options.unit,
        "scale": options.scale,
        "stroke_width": options.stroke_width,
        "version": options.dxf_version,
    }
    tape = run(options, kind, saving)
    if "z" in tape.axes and options.z is None and not (options.quiet or options.json):
        tell(f"intervalvm: this is the slice at z = 0: {solid_of(options.file, 'mesh')} is of all")
    return 0


def _facts(found: Outline) -> dict[str, Any]:
    proven = None if found.area_bounds is None else list(found.area_bounds)
    facts = {"curves": len(found), "points": _points(found), "area": found.area}
    box = [list(side) for side in found.bounds] if len(found) else None
    return {**facts, "area_bounds": proven, "length": found.length, "bounds": box}


def _points(found: Outline) -> int:
    """A closed curve's first point counts once."""
    return int(found.first[-1] + (~found.is_closed).sum())


def _summary(found: Outline) -> str:
    many = "" if len(found) == 1 else "s"
    return f"{len(found)} curve{many}, {_points(found)} points, area {found.area:.6g}"
