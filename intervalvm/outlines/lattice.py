"""Points of a lattice: values at corners of cells, and where the curve crosses their sides.

A *corner* has whole numbers (i, j) at the frame's finest level. A *side* is an interval of a line
of the lattice, as long as a cell of some level, from a corner to the next one along an axis.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.cells.frame import Frame
from intervalvm.evaluate.evaluator import SlopeBounds
from intervalvm.jit.brackets import BRACKET
from intervalvm.jit.outlines import layout as c
from intervalvm.jit.outlines.running import run_task
from intervalvm.jit.outlines.tasks import PASS
from intervalvm.jit.tasks import given
from intervalvm.ops.row import Interval
from intervalvm.outlines.field import Array, Field
from intervalvm.outlines.start import Numbers, Start

FINEST = 31
"""The most levels: the numbers of a corner take half of a key."""
ACCURACY = 2.0**-3
"""The error of a crossing, estimated before the last step, as a share of the tolerance."""
AWAY = 2.0**-7, 2.0**-6
"""How far a crossing is kept from the ends of its side: as a share of the tolerance, and at most of
the side."""
LEAST_ROOM = 1 << 10
Indices = NDArray[np.int32]


class Lattice:
    """Corners and sides by numbers, each evaluated once; values below 0 are inside.

    Of cells that ``start`` has proven corners are inside or outside, whatever rounding makes of
    their values. There is room for the corners of about those that it leaves open at first.
    """

    def __init__(
        self,
        field: Field,
        frame: Frame,
        finest: int,
        tolerance: float,
        start: Start,
    ) -> None:
        self.field, self.frame, self.finest = field, frame, finest
        self.tolerance, self.start = tolerance, start
        self._corners = self._sides = 0
        self._arrays: dict[str, Any] = {
            "at": np.empty((0, 2), np.int64),
            "values": np.empty(0),
            "depths": np.empty(0, np.uint8),
            "sides": np.empty((0, c.SIDE), np.int32),
            "corner_parts": np.empty(0, np.int32),
            "side_parts": np.empty(0, np.int32),
            "places": np.empty((2, 0)),
            "crossings": np.empty((2, 0)),
            "slopes": np.empty((2, 0)),
            "frame": np.array([*frame.low, *frame.sides, 2.0**-finest]),
            "limits": np.array([tolerance * AWAY[0], AWAY[1], tolerance * ACCURACY]),
        }
        self._make_room(max(LEAST_ROOM, 1 << (2 * len(start.i)).bit_length()))

    @property
    def at(self) -> Numbers:
        """int64[n, 2], the numbers (i, j) of corners."""
        found: Numbers = self._arrays["at"][: self._corners]
        return found

    @property
    def sides(self) -> Indices:
        """int32[n, SIDE], the fields of ``jit.outlines.layout``."""
        found: Indices = self._arrays["sides"][: self._sides]
        return found

    @property
    def points(self) -> Array:
        """float64[2, n], where the curve crosses sides."""
        found: Array = self._arrays["crossings"][:, : self._sides]
        return found

    @property
    def slopes(self) -> Array:
        """float64[2, n], the gradients there."""
        found: Array = self._arrays["slopes"][:, : self._sides]
        return found

    def boxes(self, at: Numbers, level: int) -> tuple[Interval, Interval]:
        """The cells with numbers ``at`` [m, 2] of a level."""
        many, none = len(at), np.zeros(len(at), bool)
        found = np.empty((4, many))
        self.run(c.BOXES, {c.CELLS: many, c.CELL_LEVEL: level}, {"cells": at, "boxes": found})
        return Interval(found[0], found[1], none), Interval(found[2], found[3], none)

    def judged(
        self, slopes: SlopeBounds, level: int, may_be: float
    ) -> tuple[NDArray[np.uint8], int]:
        """The verdicts on cells of a level, see ``jit.outlines.judging``, of curves that pieces may
        be so far from; and how many cells are inside."""
        given = {
            "value_low": slopes.value.lower,
            "value_high": slopes.value.upper,
            "value_maybe_nan": slopes.value.maybe_nan,
            "slope_low": slopes.lower,
            "slope_high": slopes.upper,
        }
        arrays = {name: np.ascontiguousarray(part) for name, part in given.items()}
        arrays["value_maybe_nan"] = arrays["value_maybe_nan"].view(np.uint8)
        many = len(slopes.value.lower)
        arrays |= {"verdicts": np.empty(many, np.uint8), "may_be": np.array([may_be])}
        sizes = self.run(c.JUDGE, {c.CELLS: many, c.CELL_LEVEL: level}, arrays)
        return arrays["verdicts"], int(sizes[c.COUNT])

    def corners(self, at: Numbers, levels: Numbers, parts: Indices) -> Indices:
        """int32[m, 4], the corners of cells with numbers ``at`` [m, 2] at their levels."""
        first, found = self._corners, np.empty((len(at), 4), np.int32)
        arrays: dict[str, NDArray[Any]] = {"cells": at, "levels": levels}
        arrays |= {"parts": parts, "corners": found}
        self.run(c.CORNERS_OF, {c.CELLS: len(at)}, arrays)
        self._evaluate(first)
        return found

    def crossed(
        self, corners: Indices, level: int, parts: Indices
    ) -> tuple[NDArray[np.uint8], Indices]:
        """Of cells of a level, how many sides have one end inside; if two, from which one
        to which the curve goes, with the inside on its left: int32[m, 2]."""
        first, many = self._sides, len(corners)
        changes, pairs = np.empty(many, np.uint8), np.empty((many, 2), np.int32)
        levels = np.full(many, level)
        arrays: dict[str, NDArray[Any]] = {"corners": corners, "levels": levels, "parts": parts}
        arrays |= {"changes": changes, "pairs": pairs}
        self.run(c.CROSSED, {c.CELLS: many}, arrays)
        self._cross(first)
        return changes, pairs

    def rounds(
        self, leaves: dict[str, NDArray[Any]], found: dict[str, NDArray[Any]]
    ) -> tuple[int, NDArray[np.uint8]]:
        """Write the rounds of leaves; returns their number, and of each side the leaves there."""
        first = self._sides
        sizes = self.run(c.ROUNDS, {c.CELLS: len(leaves["levels"])}, {**leaves, **found})
        self._cross(first)
        return int(sizes[c.ROUND_COUNT]), self._arrays["met"][: self._sides]

    def place(self, corners: Any) -> Array:
        """float64[2, n], the coordinates of corners."""
        found: Array = self._arrays["places"][:, : self._corners][:, corners]
        return found

    def run(self, task: int, given: dict[int, int], arrays: dict[str, NDArray[Any]]) -> Numbers:
        """Run a task, with as much room as it takes; returns its sizes."""
        while True:
            sizes = {
                c.FINEST: self.finest,
                c.CORNERS: self._corners,
                c.CORNER_ROOM: len(self._arrays["at"]),
                c.CORNER_MASK: len(self._arrays["corner_table"]) - 1,
                c.SIDES: self._sides,
                c.SIDE_ROOM: len(self._arrays["sides"]),
                **given,
            }
            found, is_full = run_task(task, sizes, arrays, self._given)
            self._corners, self._sides = int(found[c.CORNERS]), int(found[c.SIDES])
            if not is_full:
                return found
            self._make_room(2 * len(self._arrays["at"]))

    def _make_room(self, room: int) -> None:
        """Have room for as many corners and sides, a power of 2."""
        for name in ("at", "values", "depths", "sides", "corner_parts", "side_parts"):
            old = self._arrays[name]
            new = self._arrays[name] = np.empty((room, *old.shape[1:]), old.dtype)
            new[: len(old)] = old
        for name in ("corner_table", "side_table"):
            self._arrays[name] = np.zeros(2 * room, np.int32)
        self._arrays["met"] = np.empty(room, np.uint8)
        for name in ("places", "crossings", "slopes"):
            self._arrays[name] = _longer(self._arrays[name], room)
        self._given = given(PASS, self._arrays)
        self.run(c.FILL, {}, {})

    def _evaluate(self, first: int) -> None:
        """Find the values of corners from number ``first`` on."""
        if first == self._corners:
            return
        x, y = self._arrays["places"][:, first : self._corners]
        parts = self._arrays["corner_parts"][first : self._corners]
        arrays: dict[str, NDArray[Any]] = {"found": self.field.values(x, y, parts)}
        sizes = {c.FIRST: first}
        if self.start.signs is not None:
            arrays["signs"] = self.start.signs
            sizes |= {c.SIGN_ROW: len(self.start.signs), c.SIGN_LEVEL: self.start.level}
        self.run(c.VALUES, sizes, arrays)

    def _cross(self, first: int) -> None:
        """Find the crossings of sides from number ``first`` on."""
        if first == self._sides:
            return
        many, round_ = self._sides - first, 0
        arrays: dict[str, NDArray[Any]] = {
            "roots": np.empty((many, BRACKET)),
            "left": np.empty(many, np.int32),
            "asked": np.empty((2, many)),
        }
        sizes = {c.FIRST: first, c.COUNT: 0}
        sizes[c.COUNT] = count = int(self.run(c.START_ROOTS, sizes, arrays)[c.COUNT])
        while count:
            asked, parts = arrays["asked"], self._arrays["side_parts"][first:]
            parts = parts[arrays["left"][:count]]
            found = self.field.gradients(asked[0, :count], asked[1, :count], parts)
            sizes |= {c.COUNT: count, c.ROUND: round_}
            count = int(self.run(c.STEP_ROOTS, sizes, {**arrays, "found": found})[c.COUNT])
            round_ += 1


def _longer(old: Array, length: int) -> Array:
    found = np.empty((2, length))
    found[:, : old.shape[1]] = old
    return found
