"""``Outline``: the curves around what is inside, a sequence of arrays."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, Self, overload

import numpy as np
from numpy.typing import NDArray

from intervalvm.arguments import brief, parts_of, reals
from intervalvm.cells.measure import Measure
from intervalvm.checks import positive
from intervalvm.colours import Colour, Rgb, colour
from intervalvm.environment import in_default_environment
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.hints import OUTLINE, lacks
from intervalvm.late import cached_property
from intervalvm.outlines import geojson, polygons, saving, svg
from intervalvm.outlines.checks import (
    FLOAT,
    Curve,
    arrays,
    check_around,
    checked_bulges,
    checked_curves,
)
from intervalvm.outlines.layers import check_name, kinds_of, layers_of
from intervalvm.outlines.layers import joined as joined_layers
from intervalvm.outlines.nesting import parents
from intervalvm.outlines.segments import Segments, counts_within, joined
from intervalvm.outlines.stats import OutlineStats
from intervalvm.words import DxfVersion, Join, PlaneUnit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Box = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, eq=False, repr=False)
class Outline:
    """The curves around what is inside. It is a sequence of them, and a notebook shows it.

    Curves are simple and do not cross. The inside is on their left: outer curves run
    counter-clockwise, holes clockwise. A curve is closed if its last point is its first one; with
    ``closed=False`` curves may end at the region's border. No point follows itself, and a closed
    curve has three segments, or two of which one is an arc. Raises OptionError otherwise, and for
    NaN and infinity.

    Attributes
    ----------
    curves : tuple of float64[n, 2]
        The points of each curve, read-only.
    bulges : tuple of float64[n - 1] or None
        Of each segment tan(a / 4), as in DXF: a is the angle of an arc, positive counter-clockwise,
        and 0 stands for a line. None if all segments are lines.
    levels : float64[len]
        The value of the shape's field along each curve: 0, or one of the levels asked for.
    colours : tuple of (int, int, int) or None
        Red, green and blue of the part that each curve bounds, or None for a part without colour.
        None if the shape is not painted. The part of each colour is an outline of its own.
    stats : OutlineStats or None
        Times and counts.
    measure : Measure or None
        What ``area_bounds`` are found from; None of an outline that was not traced, of parts, and
        of several levels or colours.
    names : tuple of (str or None) or None
        The layer of each curve in files, where outlines were ``joined``. Curves of different layers
        may cross.
    """

    curves: tuple[Curve, ...]
    bulges: tuple[Curve, ...] | None = None
    levels: Curve = field(default_factory=lambda: np.zeros(0))
    colours: tuple[Rgb | None, ...] | None = None
    stats: OutlineStats | None = None
    measure: Measure | None = None
    names: tuple[str | None, ...] | None = None

    @in_default_environment
    def __post_init__(self) -> None:
        given = vars(self)
        curves = arrays("curves", self.curves)
        many = len(curves)
        given["_points"], given["curves"] = checked_curves(curves)
        if self.bulges is not None:
            given["bulges"] = checked_bulges(self.curves, arrays("bulges", self.bulges))
        levels = np.array(reals("levels", self.levels, FLOAT))
        given["levels"] = levels = levels if levels.size else np.zeros(many)
        if levels.shape != (many,) or not np.isfinite(levels).all():
            raise OptionError(f"levels={brief(levels)}: give a finite number for each curve")
        levels.flags.writeable = False
        if self.colours is not None:
            given["colours"] = tuple(
                None if each is None else colour(each, "colours")
                for each in parts_of("colours", self.colours, many)
            )
            if len(self.colours) != many:
                raise OptionError(
                    f"{len(self.colours)} colours for {many} curves: give one for each"
                )
        if not isinstance(self.stats, OutlineStats | None):
            raise ArgumentTypeError(f"stats={brief(self.stats)}: give an OutlineStats, or None")
        if not isinstance(self.measure, Measure | None):
            raise ArgumentTypeError(f"measure={brief(self.measure)}: give that of an outline")
        if self.names is not None:
            given["names"] = tuple(
                None if each is None else check_name(each)
                for each in parts_of("names", self.names, many)
            )
            if len(self.names) != many:
                raise OptionError(f"{len(self.names)} names for {many} curves: give one for each")
        check_around(self)

    def __reduce__(self) -> tuple[Any, ...]:
        # arrays come back as parts of one, and read-only
        return type(self), tuple(getattr(self, part.name) for part in fields(self))

    def __len__(self) -> int:
        return len(self.curves)

    def __iter__(self) -> Iterator[Curve]:
        return iter(self.curves)

    @overload
    def __getitem__(self, index: int) -> Curve: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Curve | Self:
        """A curve, or the outline of some; that has no ``area_bounds``."""
        if isinstance(index, slice):
            return self._taken(range(len(self))[index])
        try:
            return self.curves[index]
        except TypeError:
            raise ArgumentTypeError(
                f"an Outline has no item {brief(index)}: give a number or a slice"
            ) from None
        except IndexError:
            raise IndexError(f"an Outline of {len(self)} curves has no curve {index}") from None

    def _taken(self, chosen: Iterable[int]) -> Self:
        """The outline of some curves."""
        i = list(chosen)
        return type(self)(
            tuple(self.curves[k] for k in i),
            None if self.bulges is None else tuple(self.bulges[k] for k in i),
            self.levels[i],
            None if self.colours is None else tuple(self.colours[k] for k in i),
            self.stats,
            names=None if self.names is None else tuple(self.names[k] for k in i),
        )

    @classmethod
    @in_default_environment
    def joined(cls, layers: Mapping[str, Outline]) -> Self:
        """The curves of several outlines as layers of one, such as what is cut and what engraved.

        Parameters
        ----------
        layers : dict of str to Outline
            The name of each layer, of up to 31 letters, digits and _ - $, and its outline. Curves
            without a colour get that of their layer: black, red, blue, green and magenta in turn.

        Returns
        -------
        Outline
            Its ``area`` is the sum of those of the layers, also where one lies on another;
            ``area_bounds`` are those of the outlines that were joined.

        Raises
        ------
        OptionError, ArgumentTypeError
            For a name that not all versions of DXF can have, names that differ in case alone, and
            what is no outline.
        """
        return cls(**joined_layers(layers))

    @in_default_environment
    def __repr__(self) -> str:
        many = "curve" if len(self) == 1 else "curves"
        points = sum(map(len, self.curves)) - int(self.is_closed.sum())
        return f"<Outline {len(self)} {many}, {points} points, area {self.area:g}>"

    if not TYPE_CHECKING:  # mypy would accept every name

        def __getattr__(self, name):
            return lacks(self, "an Outline", name, OUTLINE)

    @cached_property
    def segments(self) -> Segments:
        """The lines and arcs of all curves, one after another."""
        return joined(self.curves, self.bulges)

    @cached_property
    def first(self) -> NDArray[np.intp]:
        """int[len + 1]: the first segment of each curve, and the number of all."""
        return np.cumsum([0, *(len(curve) - 1 for curve in self.curves)])

    @cached_property
    def is_closed(self) -> NDArray[np.bool_]:
        """bool[len]: of each curve whether its last point is its first one."""
        ends = self.first + np.arange(len(self) + 1)
        points: Curve = vars(self)["_points"]  # of all curves
        return np.asarray((points[ends[:-1]] == points[ends[1:] - 1]).all(1))

    @cached_property
    @in_default_environment
    def areas(self) -> Curve:
        """float64[len]: the area in each curve, positive if it runs counter-clockwise, so of a hole
        negative. It is 0 of an open curve."""
        if not len(self):
            return np.empty(0)
        first, count = self.first[:-1], np.diff(self.first)
        # relative to a point of the curve: far from the origin digits would be lost
        origin = np.repeat(self.segments.start[first], count, axis=0)
        (x0, y0), (x1, y1) = (self.segments.start - origin).T, (self.segments.stop - origin).T
        parts = (x0 * y1 - x1 * y0) / 2 + self.segments.areas()
        return np.where(self.is_closed, np.add.reduceat(parts, first), 0.0)

    @cached_property
    def area(self) -> float:
        """The area inside: of outer curves less that of holes."""
        return math.fsum(self.areas)

    @cached_property
    def area_bounds(self) -> tuple[float, float] | None:
        """Proven bounds of the area inside the region, of the shape and not of the curves; None
        without ``measure``. They are found when first read, in one or two times the time of
        tracing.
        """
        return None if self.measure is None else self.measure.bounds

    @cached_property
    @in_default_environment
    def length(self) -> float:
        """The length of all curves."""
        return math.fsum(self.segments.lengths())

    @cached_property
    @in_default_environment
    def parents(self) -> NDArray[np.intp]:
        """int[len]: of each hole the curve that it is a hole of. -1 of other curves, and of a hole
        that is in no curve, as those of a slice may be."""
        found = np.full(len(self), -1)
        owner = np.repeat(np.arange(len(self)), np.diff(self.first))
        for members in kinds_of(self).values():
            mine = members[self.is_closed[members]]
            number = np.full(len(self), -1)
            number[mine] = np.arange(len(mine))
            which = np.flatnonzero(number[owner] >= 0)
            near = parents(self.segments[which], number[owner[which]], self.areas[mine])
            found[mine] = np.where(near < 0, -1, mine[near])
        return found

    @cached_property
    def layers(self) -> dict[str, Outline]:
        """The outlines of each name, level and colour by the names of their layers in files, such
        as "cut", "colour-cc8844" and "level-0_5", or "outline" alone; higher levels come first."""
        return layers_of(self)

    @cached_property
    @in_default_environment
    def bounds(self) -> Box:
        """The box ((x0, x1), (y0, y1)) of the curves. Raises OptionError if there are none."""
        if not len(self):
            raise OptionError("the outline has no curves, so no bounds: nothing is inside")
        low, high = self.segments.extents()
        (x0, y0), (x1, y1) = low.min(0).tolist(), high.max(0).tolist()
        return (x0, x1), (y0, y1)

    @in_default_environment
    def flattened(self, tolerance: float | None = None) -> Outline:
        """The outline with arcs as lines.

        Parameters
        ----------
        tolerance : float, optional
            The largest distance of the lines from the arcs; by default a quarter of that of the
            curves from the shape, or 1e-5 of the outline's longer side where that is not known.
        """
        if self.bulges is None or not len(self):
            return self
        near = self._tolerance if tolerance is None else positive("tolerance", tolerance)
        counts = counts_within(self.segments, near)
        lines = self.segments.divided(counts)
        ends = np.cumsum(np.append(0, counts))[self.first].tolist()
        curves = tuple(
            np.append(lines.start[a:b], lines.stop[b - 1 : b], axis=0) for a, b in pairwise(ends)
        )
        return replace(self, curves=curves, bulges=None)

    def _scaled(self, factor: float) -> Outline:
        """The outline with all coordinates multiplied."""
        if factor == 1:
            return self
        stats = self.stats and replace(self.stats, tolerance=self.stats.tolerance * factor)
        curves = tuple(curve * factor for curve in self.curves)
        return replace(self, curves=curves, stats=stats, measure=None)

    @property
    def _tolerance(self) -> float:
        """What lines may be off that stand for arcs."""
        if self.stats is not None and self.stats.tolerance > 0:
            return self.stats.tolerance / 4
        (x0, x1), (y0, y1) = self.bounds
        return 1e-5 * max(x1 - x0, y1 - y0)

    @in_default_environment
    def offset(self, distance: float, *, join: Join = "round") -> Outline:
        """The outline of the polygons grown by a distance, or shrunk by a negative one.

        It is that of the curves, found by shapely (the extra ``cad``): the right one for kerf of a
        shape whose field is no distance, and for other corners than round ones. Where the field is
        the exact distance, as of ``circle`` and ``polygon``, ``contour(offset=...)`` is better: it
        is the offset of the shape itself within the tolerance, with arcs, and proven. Arcs become
        lines. Parts of each level and colour are offset by themselves, and may overlap then.

        Parameters
        ----------
        distance : float
        join : {"round", "mitre", "bevel"}
            Corners: round, sharp up to five times the distance, or cut off.
        """
        near = self._tolerance if len(self) else 0.0
        kinds, made = kinds_of(self), list(self.layers.values())
        found = [polygons.offset(part, distance, join, near) for part in made]
        each = [kind for kind, curves in zip(kinds, found, strict=True) for _ in curves]
        return type(self)(
            tuple(chain.from_iterable(found)),
            levels=np.array([kind.level for kind in each]),
            colours=None if self.colours is None else tuple(kind.colour for kind in each),
            stats=self.stats,
            names=None if self.names is None else tuple(kind.name for kind in each),
        )

    def to_shapely(self) -> Any:
        """The polygons with their holes as a MultiPolygon of shapely (the extra ``cad``).

        Parts of different colours are joined; ``layers`` has each. Arcs become lines, as by
        ``flattened``. Raises OptionError for open curves, several levels, and a hole in no curve,
        BackendError without shapely.
        """
        return polygons.multipolygon(self)

    @in_default_environment
    def plot(self, ax: Axes | None = None, **style: Any) -> Axes:
        """Draw what is inside by matplotlib, with axes in the coordinates of the shape.

        Open curves, and those of several levels, are lines.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            By default the current axes of pyplot.
        **style
            As for ``matplotlib.patches.PathPatch``, such as ``facecolor`` or ``linewidth``.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        BackendError
            Without matplotlib, of the extra ``plot``.
        """
        from intervalvm.outlines import plots

        return plots.plot(self, ax, style)

    @property
    @in_default_environment
    def __geo_interface__(self) -> dict[str, Any]:
        """A FeatureCollection of GeoJSON, which geographic libraries read."""
        return geojson.collection(self)

    @in_default_environment
    def svg(
        self,
        *,
        unit: PlaneUnit = "mm",
        fill: Colour | None = None,
        stroke: Colour | None = None,
        stroke_width: float | None = None,
    ) -> str:
        """The text of an SVG file; see ``save``."""
        return svg.svg(self, unit=unit, fill=fill, stroke=stroke, stroke_width=stroke_width)

    @in_default_environment
    def _repr_svg_(self) -> str | None:
        return svg.shown(self) if len(self) else None

    @in_default_environment
    def save(
        self,
        path: Any,
        format: str | None = None,
        *,
        unit: PlaneUnit = "mm",
        scale: float = 1.0,
        fill: Colour | None = None,
        stroke: Colour | None = None,
        stroke_width: float | None = None,
        version: DxfVersion | None = None,
    ) -> None:
        """Write a file for other programs, which is replaced as a whole or left unchanged.

        Parameters
        ----------
        path : str, path-like or binary stream
            A stream is written in place.
        format : str, optional
            One of svg, dxf, geojson; by default the suffix of ``path``. Parts of each colour and
            level are a layer. svg and dxf hold arcs; in geojson they become lines.
        unit : {"um", "mm", "cm", "m", "in", "ft", "pt", "px"}
            What a coordinate of 1 is. dxf has no pt and no px, and R12 no units at all. geojson
            has the coordinates alone.
        scale : float
            What coordinates are multiplied by first, above 0: how many units in the file are 1.
        fill, stroke : str or (int, int, int), optional
            Colours in svg. By default curves are filled in the colours of their parts, black where
            there are none; with a stroke or its width alone they are lines. Open curves and several
            levels are lines by default.
        stroke_width : float, optional
            Of the lines in svg, in units of the file; by default 0.01 mm, which lasers cut.
        version : {"R12", "R2000", "R2004", "R2007", "R2010", "R2013", "R2018"}, optional
            Of dxf, by default "R2010". Colours before R2004 are the nearest of 255.

        Raises
        ------
        OptionError
            For an unknown format or word, an option that the format does not have, and an outline
            without curves, except in geojson.
        BackendError
            For dxf without ezdxf, of the extra ``cad``.
        FileError
            If the file cannot be written.
        """
        options = {
            "fill": fill, "stroke": stroke, "stroke_width": stroke_width, "version": version,
        }  # fmt: skip
        whole = self._scaled(positive("scale", scale))
        saving.save(whole, path, format, unit, options)
