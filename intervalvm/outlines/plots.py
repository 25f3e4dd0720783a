"""Plots of an outline by matplotlib: what is inside filled, or lines where curves bound nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from intervalvm.raster.plots import axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from intervalvm.outlines.outline import Outline

FILL, INK = "#9bb8e8", "#22324f"


def plot(outline: Outline, ax: Axes | None, style: dict[str, Any]) -> Axes:
    """Draw the layers in order. ``style`` is for each patch."""
    drawn = axes(ax)
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    fills = bool(outline.is_closed.all()) and len(np.unique(outline.levels)) < 2
    for part in outline.flattened().layers.values() if len(outline) else ():
        colour = part.colours[0] if part.colours else None
        fill = FILL if colour is None else tuple(channel / 255 for channel in colour)
        path = Path.make_compound_path(*map(Path, part.curves))
        patch = {"facecolor": fill if fills else "none", "edgecolor": INK, "linewidth": 0.8}
        drawn.add_patch(PathPatch(path, **{**patch, **style}))
    drawn.set(xlabel="x", ylabel="y", aspect="equal")
    drawn.autoscale_view()
    return drawn
