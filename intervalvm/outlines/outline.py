"""``Outline``: the curves around what is inside, and ``OutlineStats`` of how they were found."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Self, overload

import numpy as np
from numpy.typing import NDArray

from intervalvm.arguments import brief, real, reals
from intervalvm.colours import Rgb, colour
from intervalvm.environment import in_default_environment
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.hints import lacks
from intervalvm.late import cached_property
from intervalvm.outlines.segments import Segments, joined
from intervalvm.raster.image import milliseconds, text_table

FLOAT = np.dtype(np.float64)
Curve = NDArray[np.float64]
Box = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class OutlineStats:
    """Times and counts of an outline. It prints as a table.

    Attributes
    ----------
    clauses : int
    tolerance : float
        The largest distance of the curves from the shape's border.
    cells : dict of str to int
        "proven", those whose curves are proven to be like the border, "undecided", those that were
        not at the smallest size, and "evaluated", all whose bounds were found.
    seconds : dict of str to float
    """

    clauses: int
    tolerance: float
    cells: dict[str, int]
    seconds: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """The same as dicts and numbers."""
        return asdict(self)

    def __str__(self) -> str:
        counts = ", ".join(f"{number} {name}" for name, number in self.cells.items())
        times = [(name, milliseconds(seconds)) for name, seconds in self.seconds.items()]
        lines = [f"{self.clauses} clauses, tolerance {self.tolerance:g}", f"cells: {counts}"]
        return "\n".join([*lines, "", text_table(times, left=1)] if times else lines)


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
    area_bounds : (float, float) or None
        Bounds of the area inside the region that are proven, of the shape and not of the curves.
    """

    curves: tuple[Curve, ...]
    bulges: tuple[Curve, ...] | None = None
    levels: Curve = field(default_factory=lambda: np.zeros(0))
    colours: tuple[Rgb | None, ...] | None = None
    stats: OutlineStats | None = None
    area_bounds: tuple[float, float] | None = None

    @in_default_environment
    def __post_init__(self) -> None:
        given = vars(self)
        curves = _arrays("curves", self.curves)
        many = len(curves)
        given["curves"] = _checked_curves(curves)
        if self.bulges is not None:
            given["bulges"] = _checked_bulges(self.curves, _arrays("bulges", self.bulges))
        levels = np.zeros(many) if len(np.atleast_1d(self.levels)) == 0 else self.levels
        given["levels"] = levels = np.array(reals("levels", levels, FLOAT))
        if levels.shape != (many,) or not np.isfinite(levels).all():
            raise OptionError(f"levels={brief(levels)}: give a finite number for each curve")
        levels.flags.writeable = False
        if self.colours is not None:
            given["colours"] = tuple(
                None if each is None else colour(each, "colours") for each in self.colours
            )
            if len(self.colours) != many:
                raise OptionError(
                    f"{len(self.colours)} colours for {many} curves: give one for each"
                )
        _check_segments(self)
        if self.area_bounds is not None:
            low, high = self.area_bounds
            given["area_bounds"] = real("area_bounds", low), real("area_bounds", high)

    def __reduce__(self) -> tuple[Any, ...]:
        # arrays come back as parts of one, and read-only
        parts = self.curves, self.bulges, self.levels, self.colours, self.stats, self.area_bounds
        return type(self), parts

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
        )

    @in_default_environment
    def __repr__(self) -> str:
        many = "curve" if len(self) == 1 else "curves"
        points = sum(map(len, self.curves)) - int(self.is_closed.sum())
        return f"<Outline {len(self)} {many}, {points} points, area {self.area:g}>"

    if not TYPE_CHECKING:  # mypy would accept every name

        def __getattr__(self, name):
            return lacks(self, "an Outline", name, {})

    @cached_property
    def segments(self) -> Segments:
        """The lines and arcs of all curves, one after another."""
        return joined(self.curves, self.bulges)

    @cached_property
    def _first(self) -> NDArray[np.intp]:
        """int[len + 1]: the first segment of each curve, and the number of all."""
        return np.cumsum([0, *(len(curve) - 1 for curve in self.curves)])

    @cached_property
    def is_closed(self) -> NDArray[np.bool_]:
        """bool[len]: of each curve whether its last point is its first one."""
        start, stop = self.segments.start[self._first[:-1]], self.segments.stop[self._first[1:] - 1]
        return np.asarray((start == stop).all(1))

    @cached_property
    @in_default_environment
    def areas(self) -> Curve:
        """float64[len]: the area in each curve, positive if it runs counter-clockwise, so of a hole
        negative. It is 0 of an open curve."""
        if not len(self):
            return np.empty(0)
        first, count = self._first[:-1], np.diff(self._first)
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
    @in_default_environment
    def length(self) -> float:
        """The length of all curves."""
        return math.fsum(self.segments.lengths())

    @cached_property
    @in_default_environment
    def bounds(self) -> Box:
        """The box ((x0, x1), (y0, y1)) of the curves. Raises OptionError if there are none."""
        if not len(self):
            raise OptionError("the outline has no curves, so no bounds: nothing is inside")
        low, high = self.segments.extents()
        (x0, y0), (x1, y1) = low.min(0).tolist(), high.max(0).tolist()
        return (x0, x1), (y0, y1)


def _arrays(name: str, given: Any) -> list[Curve]:
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise ArgumentTypeError(f"{name}={brief(given)}: give a sequence of arrays")
    return [reals(name, each, FLOAT) for each in given]


def _checked_curves(curves: list[Curve]) -> tuple[Curve, ...]:
    """Read-only copies, parts of one array. Raises OptionError."""
    for i, curve in enumerate(curves):
        if curve.ndim != 2 or curve.shape[1] != 2 or len(curve) < 2:
            raise OptionError(f"curve {i} has the shape {curve.shape}: give [n, 2] with n from 2")
    return _parts("curve", curves)


def _checked_bulges(curves: tuple[Curve, ...], bulges: list[Curve]) -> tuple[Curve, ...]:
    if len(bulges) != len(curves):
        raise OptionError(f"{len(bulges)} arrays of bulges for {len(curves)} curves: give as many")
    for i, (curve, bulge) in enumerate(zip(curves, bulges, strict=True)):
        if bulge.shape != (len(curve) - 1,):
            raise OptionError(
                f"the bulges of curve {i} have the shape {bulge.shape}: give one for each of its "
                f"{len(curve) - 1} segments"
            )
    return _parts("the bulges of curve", bulges)


def _check_segments(outline: Outline) -> None:
    """Raise OptionError for a point that follows itself, and for a closed curve around nothing."""
    start, stop, bulge = outline.segments
    same = np.flatnonzero((start == stop).all(1))
    if len(same):
        i = int(np.searchsorted(outline._first, same[0], "right")) - 1
        at = int(same[0] - outline._first[i])
        raise OptionError(f"points {at} and {at + 1} of curve {i} are the same: leave one out")
    short = np.flatnonzero(outline.is_closed & (np.diff(outline._first) == 2))
    for i in short.tolist():
        if not bulge[outline._first[i] : outline._first[i + 1]].any():
            raise OptionError(f"curve {i} has two lines, around nothing: leave it out")


def _parts(what: str, arrays: list[Curve]) -> tuple[Curve, ...]:
    """Read-only copies, parts of one array. Raises OptionError for one with NaN or infinity."""
    if not arrays:
        return ()
    whole = np.concatenate(arrays)
    whole.flags.writeable = False
    ends = np.cumsum([len(each) for each in arrays]).tolist()
    parts = tuple(whole[a:b] for a, b in zip(chain([0], ends), ends, strict=False))
    if not np.isfinite(whole).all():
        wrong = next(i for i, part in enumerate(parts) if not np.isfinite(part).all())
        raise OptionError(f"{what} {wrong} has NaN or infinity: give finite numbers")
    return parts
