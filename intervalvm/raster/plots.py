"""Plots of an image by matplotlib, with axes: the picture, or what pruning did with its tiles.

The extra ``plot`` has matplotlib, which is imported when something is plotted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.arguments import brief
from intervalvm.checks import check_word
from intervalvm.errors import ArgumentTypeError, BackendError, install_line
from intervalvm.jit.layout import INSIDE, OUTSIDE, UNPROVEN, edge

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from intervalvm.raster.image import Image

EMPTY = "#eceff3"
"""Proven tiles, where a plot is about others."""
KINDS = (
    (OUTSIDE, False, "proven outside", "#2b3a55"),
    (INSIDE, True, "proven inside", "#6fbf7a"),
    (UNPROVEN, False, "evaluated: outside", "#b5722f"),
    (UNPROVEN, True, "evaluated: inside", "#fbeed5"),
)
"""Pixels: the verdict of the tile, whether the pixel is inside, a label, a colour."""
LEGEND_BELOW = 4.5
"""Between axes and legend, in sizes of its font: room for the ticks and the label of x."""
BORDER = "#10182880"
MOST_BORDERS = 1 << 8
"""Tiles a side beyond which their borders would cover them."""


def library() -> Any:
    """matplotlib. Raises BackendError where it is not installed."""
    try:
        import matplotlib as found
    except ImportError:
        raise BackendError(
            f"plots are made by matplotlib, which is not installed: {install_line('plot')}"
        ) from None
    return found


def axes(ax: Axes | None) -> Axes:
    """The axes to draw into: those given, or the current ones of pyplot.

    Raises BackendError without matplotlib, ArgumentTypeError for anything else.
    """
    library()
    from matplotlib.axes import Axes

    if isinstance(ax, Axes):
        return ax
    if ax is not None:
        raise ArgumentTypeError(f"ax={brief(ax)}: give axes of matplotlib, or None")
    from matplotlib import pyplot

    return pyplot.gca()


def new_figure(width: int, height: int) -> Figure:
    """A figure for a picture of this shape, apart from pyplot's."""
    library()
    from matplotlib.figure import Figure

    share = min(max(height / width, 0.25), 4.0)
    return Figure(figsize=(7.5, 1.0 + 6.5 * share), layout="constrained")


def plot(image: Image, ax: Axes | None, what: str) -> Axes:
    """Draw an image. Raises OptionError for another ``what``, and as ``Image.map`` does."""
    check_word("what", what, tuple(PLOTS))
    drawn = axes(ax)
    PLOTS[what](image, drawn)
    region = image.region
    drawn.set(xlim=region.x, ylim=region.y, xlabel="x", ylabel="y", aspect="equal")
    return drawn


def _picture(image: Image, ax: Axes) -> None:
    if image.is_bitmap:
        ax.imshow(image.shown, extent=_extent(image))
        return
    from matplotlib.colors import CenteredNorm

    values = np.ma.masked_invalid(image.pixels)
    drawn = ax.imshow(values, cmap="RdBu", norm=CenteredNorm(), extent=_extent(image))
    if min(values.shape) > 1 and values.count() and values.min() < 0 <= values.max():
        ax.contour(values, [0.0], colors="black", origin="upper", extent=_extent(image))
    _bar(ax, drawn, label="value")


def _clauses(image: Image, ax: Axes) -> None:
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import LogFormatter, LogLocator

    verdict = image.map("verdict")
    clauses = np.ma.masked_where(verdict != UNPROVEN, image.map("clauses"))
    x, y = _edges(image, clauses.shape[0])
    ax.set_facecolor(EMPTY)
    most = max(2, int(clauses.max())) if clauses.count() else 2
    least = max(1, int(clauses.min())) if clauses.count() else 1
    drawn = ax.pcolormesh(
        x, y, clauses, cmap="viridis", norm=LogNorm(min(least, most - 1), most), rasterized=True
    )
    inside = image.bitmap() >= UNPROVEN
    ink = np.zeros((*inside.shape, 4), np.uint8)
    ink[inside] = (255, 255, 255, 150)
    ax.imshow(ink, extent=_extent(image), interpolation="nearest", zorder=2)
    ticks, text = LogLocator(10, (1, 2, 5)), LogFormatter(10, minor_thresholds=(9, 9))
    _bar(ax, drawn, label="clauses left", ticks=ticks, format=text)


def _pruning(image: Image, ax: Axes) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Patch

    verdict, is_inside = image.map("verdict", per="pixel"), image.bitmap() >= UNPROVEN
    shown = np.zeros((*verdict.shape, 3), np.uint8)
    handles = []
    for decided, inside, label, colour in KINDS:
        some = (verdict == decided) & (is_inside == inside)
        shown[some] = np.round(255 * np.array(to_rgb(colour)))
        share = np.count_nonzero(some) / some.size
        handles.append(Patch(facecolor=colour, edgecolor=BORDER, label=f"{label} ({share:.1%})"))
    ax.imshow(shown, extent=_extent(image), interpolation="nearest")
    levels = image.map("level")
    if len(levels) <= MOST_BORDERS:
        lines = [*_borders(image, levels, 0), *_borders(image, levels, 1)]
        ax.add_collection(LineCollection(lines, colors=BORDER, linewidths=0.4))
    ax.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        borderaxespad=LEGEND_BELOW,
        fontsize="small",
        ncols=2,
    )


def _borders(image: Image, levels: NDArray[np.int32], axis: int) -> list[NDArray[np.float64]]:
    """Lines between tiles that were decided apart, across an axis: each float64[2, 2]."""
    n = len(levels)
    levels = levels if axis else levels.T
    along, across = _edges(image, n)[:: 1 if axis else -1]
    found = []
    for k in range(1, n):
        before, after = levels[:, k - 1], levels[:, k]
        finest = np.maximum(before, after)
        # a tile of level l is n / 2**l of the smallest wide
        is_apart = (before != after) | (k % np.maximum(n >> np.maximum(finest, 0), 1) == 0)
        ends = np.flatnonzero(np.diff(np.concatenate([[0], is_apart & (finest >= 0), [0]])))
        for start, stop in ends.reshape(-1, 2).tolist():
            line = np.array([[along[k], across[start]], [along[k], across[stop]]])
            found.append(line if axis else line[:, ::-1])
    return found


def _edges(image: Image, tiles: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The edges of the smallest tiles: x from the left, y from the top."""
    level, cells = tiles.bit_length() - 1, np.arange(tiles + 1)
    (x0, x1), (y0, y1) = image.region.x, image.region.y
    columns, rows = (edge(cells, level, n) / n for n in (image.width, image.height))
    return x0 + columns * (x1 - x0), y1 - rows * (y1 - y0)


def _extent(image: Image) -> tuple[float, float, float, float]:
    return *image.region.x, *image.region.y


def _bar(ax: Axes, drawn: Any, **options: Any) -> None:
    figure: Any = ax.get_figure()
    figure.colorbar(drawn, ax=ax, fraction=0.046, pad=0.03, **options)


OF_TILES: dict[str, Callable[[Image, Axes], None]] = {"pruning": _pruning, "clauses": _clauses}
"""Plots of tiles, which only pruning has."""
PLOTS = OF_TILES | {"picture": _picture}
"""What a plot shows."""
