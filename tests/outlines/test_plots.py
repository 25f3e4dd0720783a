"""An outline plotted by matplotlib."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import intervalvm as ivm
from intervalvm import shapes
from intervalvm.outlines.plots import FILL
from intervalvm.raster import plots

matplotlib = pytest.importorskip("matplotlib")
PART = shapes.circle(0.7) - shapes.rectangle(0.3, 0.2).move(0.2)


@pytest.fixture
def ax() -> Any:
    return plots.new_figure(100, 100).add_subplot()


def pixels(ax: Any) -> Any:
    """The figure as drawn, and where points of its axes are in it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(ax.get_figure())
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def colour_at(ax: Any, x: float, y: float) -> tuple[int, ...]:
    shown = pixels(ax)
    column, row = ax.transData.transform((x, y))
    return tuple(shown[len(shown) - 1 - int(row), int(column), :3].tolist())


@pytest.mark.parametrize("arcs", [False, True])
def test_what_is_inside_is_filled(ax: Any, arcs: bool) -> None:
    outline = ivm.contour(PART, arcs=arcs)
    assert outline.plot(ax) is ax
    fill = tuple(round(255 * part) for part in matplotlib.colors.to_rgb(FILL))
    # in the corner of the square an arc in place of its chord decides
    for x, y in [(-0.5, 0.0), (0.2, 0.3), (0.48, 0.48)]:
        assert colour_at(ax, x, y) == fill
    for x, y in [(0.2, 0.0), (0.6, 0.6)]:
        assert colour_at(ax, x, y) == (255, 255, 255)
    (x0, x1), (y0, y1) = outline.bounds
    assert ax.get_xlim()[0] < x0 < x1 < ax.get_xlim()[1]
    assert ax.get_ylim()[0] < y0 < y1 < ax.get_ylim()[1]


def test_parts_have_their_colours_and_a_style_changes_them(ax: Any) -> None:
    painted = shapes.circle(0.3).paint("#ff0000") | shapes.circle(0.3).move(1).paint("#0000ff")
    outline = ivm.contour(painted)
    outline.plot(ax)
    assert colour_at(ax, 0, 0) == (255, 0, 0)
    assert colour_at(ax, 1, 0) == (0, 0, 255)
    outline.plot(ax, facecolor="#00ff00")
    assert colour_at(ax, 1, 0) == (0, 255, 0)


def test_levels_are_lines(ax: Any) -> None:
    ivm.contour(shapes.circle(0.5), levels=[-0.1, 0, 0.1]).plot(ax)
    assert colour_at(ax, 0, 0) == (255, 255, 255)
    assert ax.patches[0].get_facecolor()[3] == 0


def test_no_curves_are_no_patches(ax: Any) -> None:
    ivm.Outline([]).plot(ax)
    assert not ax.patches
