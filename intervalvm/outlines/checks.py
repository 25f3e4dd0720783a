"""The checks of an outline's constructor: shapes, finite numbers, curves around something."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.arguments import brief, reals
from intervalvm.errors import ArgumentTypeError, OptionError

if TYPE_CHECKING:
    from intervalvm.outlines.outline import Outline

FARTHEST = 1e100
"""The largest coordinate, whose square is finite."""
FLOAT = np.dtype(np.float64)
Curve = NDArray[np.float64]


def arrays(name: str, given: Any) -> list[Curve]:
    parts = given
    if isinstance(given, np.ndarray):
        parts = given if given.ndim else None  # which has no parts, and says that it is iterable
    if isinstance(given, (str, bytes)) or not isinstance(parts, Iterable):
        raise ArgumentTypeError(f"{name}={brief(given)}: give a sequence of arrays")
    return [reals(name, each, FLOAT) for each in parts]


def checked_curves(curves: list[Curve]) -> tuple[Curve, tuple[Curve, ...]]:
    """The points of all curves, and its read-only parts, which are the curves. Raises OptionError,
    also for a point that follows itself."""
    for i, curve in enumerate(curves):
        if curve.ndim != 2 or curve.shape[1] != 2 or len(curve) < 2:
            raise OptionError(f"curve {i} has the shape {curve.shape}: give [n, 2] with n from 2")
    if not curves:
        return np.empty((0, 2)), ()
    whole, found = _parts("curve", curves)
    if np.abs(whole).max() > FARTHEST:
        raise OptionError(f"the curves go beyond {FARTHEST:g}, where areas are infinite")
    x, y = whole.T
    same = np.flatnonzero((x[1:] == x[:-1]) & (y[1:] == y[:-1]))
    last = np.cumsum([len(curve) for curve in curves]) - 1
    for at in same[~np.isin(same, last)].tolist():
        i = int(np.searchsorted(last, at))
        at -= int(last[i]) + 1 - len(curves[i])
        raise OptionError(f"points {at} and {at + 1} of curve {i} are the same: leave one out")
    return whole, found


def checked_bulges(curves: tuple[Curve, ...], bulges: list[Curve]) -> tuple[Curve, ...]:
    if len(bulges) != len(curves):
        raise OptionError(f"{len(bulges)} arrays of bulges for {len(curves)} curves: give as many")
    for i, (curve, bulge) in enumerate(zip(curves, bulges, strict=True)):
        if bulge.shape != (len(curve) - 1,):
            raise OptionError(
                f"the bulges of curve {i} have the shape {bulge.shape}: give one for each of its "
                f"{len(curve) - 1} segments"
            )
    return _parts("the bulges of curve", bulges)[1] if bulges else ()


def check_around(outline: Outline) -> None:
    """Raise OptionError for a closed curve around nothing."""
    short = np.flatnonzero(outline.is_closed & (np.diff(outline.first) == 2))
    for i in short.tolist():
        if outline.bulges is None or not outline.bulges[i].any():
            raise OptionError(f"curve {i} has two lines, around nothing: leave it out")


def _parts(what: str, arrays: list[Curve]) -> tuple[Curve, tuple[Curve, ...]]:
    """Arrays as one, and its read-only parts. Raises OptionError for one with NaN or infinity."""
    whole = np.concatenate(arrays)
    whole.flags.writeable = False
    ends = np.cumsum([len(each) for each in arrays]).tolist()
    parts = tuple(whole[a:b] for a, b in zip(chain([0], ends), ends, strict=False))
    if not np.isfinite(whole).all():
        wrong = next(i for i, part in enumerate(parts) if not np.isfinite(part).all())
        raise OptionError(f"{what} {wrong} has NaN or infinity: give finite numbers")
    return whole, parts
