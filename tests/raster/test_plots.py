"""Plots by matplotlib: axes in the region's coordinates, maps as they are, and refusals."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import intervalvm as ivm
from intervalvm import shapes
from intervalvm.raster import plots

matplotlib = pytest.importorskip("matplotlib")
PART = shapes.circle(0.7) - shapes.rectangle(0.3, 0.2).move(0.2)
WIDE = ivm.Region((-2, 2), (-1, 1))


@pytest.fixture
def ax() -> Any:
    return plots.new_figure(100, 100).add_subplot()


@pytest.fixture
def image() -> ivm.Image:
    return ivm.render(PART, size=(100, 50), depth=4, region=WIDE)


@pytest.fixture
def pyplot(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("MPLBACKEND", "agg")
    from matplotlib import pyplot

    before = matplotlib.get_backend()
    pyplot.switch_backend("agg")
    yield pyplot
    pyplot.close("all")
    pyplot.switch_backend(before)


def drawn(ax: Any) -> None:
    """Have everything drawn, as in a file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(ax.get_figure()).draw()


@pytest.mark.parametrize("what", plots.PLOTS)
def test_axes_are_those_of_the_region(ax: Any, image: ivm.Image, what: str) -> None:
    assert image.plot(ax, what=what) is ax
    drawn(ax)
    assert ax.get_xlim() == WIDE.x
    assert ax.get_ylim() == WIDE.y
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "y")
    assert ax.get_aspect() == 1
    assert all(each.get_extent() == [-2, 2, -1, 1] for each in ax.get_images())


def test_a_picture_is_what_a_file_shows(ax: Any, image: ivm.Image) -> None:
    (found,) = image.plot(ax).get_images()
    assert_array_equal(found.get_array(), image.shown)


def test_a_picture_with_ink_is_plotted_with_it(ax: Any) -> None:
    image = ivm.render(PART, size=20, ink="teal", paper="none")
    (found,) = image.plot(ax).get_images()
    assert_array_equal(found.get_array(), image.shown)
    assert found.get_array().shape == (20, 20, 4)


def test_a_picture_without_a_region_has_no_axes(ax: Any) -> None:
    solid = ivm.render3d(shapes.sphere(0.8), size=16)
    for picture in (solid, ivm.Picture(solid)):
        assert picture.plot(ax) is ax
        drawn(ax)
        assert_array_equal(ax.get_images()[-1].get_array(), solid.shown)
        assert not ax.axison


def test_values_have_a_bar_and_an_outline(ax: Any) -> None:
    image = ivm.render(PART, size=40, mode="value")
    (found,) = image.plot(ax).get_images()
    drawn(ax)
    assert_array_equal(found.get_array(), image.pixels)
    low, high = found.get_clim()
    assert -low == high == np.abs(image.pixels).max()
    (bar,) = [each for each in ax.get_figure().axes if each is not ax]
    assert bar.get_ylabel() == "value"
    (zero,) = ax.collections
    assert zero.levels == [0]


@pytest.mark.parametrize("kind", ["nan", "empty", "thin"])
def test_odd_values_are_plotted(ax: Any, kind: str) -> None:
    x, _, _ = ivm.axes()
    shape, size = {"nan": (x / 0 * 0, 8), "empty": (x + 9, 8), "thin": (x, (8, 1))}[kind]
    ivm.render(shape, size=size, mode="value").plot(ax)
    drawn(ax)


def test_clauses_are_those_of_the_map(ax: Any, image: ivm.Image) -> None:
    image.plot(ax, what="clauses")
    drawn(ax)
    (mesh,) = [each for each in ax.collections if each.get_array() is not None]
    clauses, is_leaf = image.map("clauses"), image.map("verdict") == 128
    assert_array_equal(mesh.get_array().mask, ~is_leaf)
    assert_array_equal(mesh.get_array()[is_leaf], clauses[is_leaf])
    x, y = mesh.get_coordinates()[..., 0], mesh.get_coordinates()[..., 1]
    assert x.shape == (17, 17)
    # 100 pixels on 16 tiles: the second begins with pixel 6, 6/100 of 4 from the left
    assert x[0, 1] == pytest.approx(-2 + 4 * 6 / 100)
    assert y[0, 0] == 1
    assert y[-1, -1] == -1
    (bar,) = [each for each in ax.get_figure().axes if each is not ax]
    assert bar.get_ylabel() == "clauses left"


@pytest.mark.parametrize("radius", [0.01, 100.0])
def test_a_picture_without_leaves_has_no_clauses(ax: Any, radius: float) -> None:
    """Where all is proven at once there is nothing to show, and that is shown."""
    shape = shapes.circle(radius).move(5 if radius < 1 else 0)
    image = ivm.render(shape, size=32)
    assert (image.map("verdict") != 128).all()
    image.plot(ax, what="clauses")
    drawn(ax)


def test_pruning_has_a_colour_for_each_kind_and_borders(ax: Any, image: ivm.Image) -> None:
    image.plot(ax, what="pruning")
    drawn(ax)
    (found,) = ax.get_images()
    verdict, inside = image.map("verdict", per="pixel"), image.pixels == 255
    shown = found.get_array()
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    for (decided, is_inside, name, colour), label in zip(plots.KINDS, labels, strict=True):
        some = (verdict == decided) & (inside == is_inside)
        assert label == f"{name} ({some.mean():.1%})"
        expected = np.round(255 * np.array(matplotlib.colors.to_rgb(colour)))
        assert (shown[some] == expected).all()
    (lines,) = ax.collections
    pieces = np.array(list(lines.get_segments()))
    length = np.abs(pieces[:, 1] - pieces[:, 0]).sum()
    assert length == pytest.approx(border_length(image))


def border_length(image: ivm.Image) -> float:
    """Of the borders between tiles that were decided apart, by comparing all neighbours."""
    levels = image.map("level")
    n, total = len(levels), 0.0
    columns, rows = (np.arange(n + 1) * side // n / side for side in (image.width, image.height))

    def tile(row: int, column: int) -> tuple[int, int, int]:
        level = int(levels[row, column])
        return level, row * 2**level // n, column * 2**level // n

    for row in range(n):
        for column in range(n):
            if column and tile(row, column) != tile(row, column - 1):
                total += 2 * (rows[row + 1] - rows[row])
            if row and tile(row, column) != tile(row - 1, column):
                total += 4 * (columns[column + 1] - columns[column])
    return total


def test_unproven_and_smooth_pixels_are_plotted(ax: Any) -> None:
    for options in ({"prove": "area"}, {"antialias": 2}):
        ivm.render(PART, size=64, **options).plot(ax, what="pruning")
        drawn(ax)


def test_the_current_axes_are_the_default(pyplot: Any, image: ivm.Image) -> None:
    _, (left, right) = pyplot.subplots(1, 2)
    assert image.plot() is right
    assert not left.get_images()


@pytest.mark.parametrize(
    ("image", "what", "said"),
    [
        (ivm.render(PART, size=8), "tiles", "'tiles'"),
        (ivm.render(PART, size=8), None, "None"),
        (ivm.render(PART, size=8, engine="dense"), "pruning", "no tiles to map"),
    ],
)
def test_what_cannot_be_plotted_is_refused(ax: Any, image: ivm.Image, what: Any, said: str) -> None:
    with pytest.raises(ivm.OptionError, match=said):
        image.plot(ax, what=what)


def test_without_matplotlib_the_error_says_how_to_install_it(
    image: ivm.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ivm.BackendError, match=r"made by matplotlib, .*: pip install"):
        image.plot()
