"""Pieces of curves in cells: chords that are near, by points of the curve or by its corners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import intervalvm as ivm
from intervalvm import shapes
from intervalvm.cells.frame import Frame
from intervalvm.evaluate.evaluator import NumpyEvaluator
from intervalvm.outlines.bends import SHARE, Bends, bends
from intervalvm.outlines.field import Array, Field, Owners
from intervalvm.outlines.lattice import AWAY, Lattice
from intervalvm.outlines.start import all_cells

if TYPE_CHECKING:
    from collections.abc import Callable

X, Y, _ = ivm.axes()
FRAME = Frame((-1.0, -1.0), (2.0, 2.0))
FINEST = 20


class Pieces(NamedTuple):
    """All pieces of a curve in cells that it crosses once: the cells' low corners and the ends,
    float64[2, m], what was found, and what the field was asked for."""

    low: Array
    ends: tuple[Array, Array]
    found: Bends
    asked: list[tuple[Array, NDArray[np.int32] | None]]

    def chords(self, k: int) -> Array:
        """The vertices of a piece, float64[n, 2]."""
        way = self.found.points[k]
        p, q = (end[:, k] for end in self.ends)
        return np.stack([p, *way[~np.isnan(way[:, 0])], q])


def pieces_of(
    value: ivm.Expr, level: int, tolerance: float, *, is_one: bool = True, owned: bool = False
) -> Pieces:
    asked: list[tuple[Array, NDArray[np.int32] | None]] = []

    class Asked(Field):
        def gradients(self, x: Array, y: Array, owners: Owners = None) -> Array:
            asked.append((np.stack([x, y]), owners))
            return super().gradients(x, y)

    evaluator: Any = NumpyEvaluator(value.tape(), ("x", "y"), np.dtype("float64"))
    start = all_cells(level)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("intervalvm.outlines.lattice.ACCURACY", 1e-9)  # so that ends are exact
        lattice = Lattice(Asked(evaluator, evaluator), FRAME, FINEST, tolerance, start)
    at = np.stack([start.i, start.j], axis=-1)
    corners = lattice.corners(at, np.full(len(at), level), start.parts)
    count, pairs = lattice.crossed(corners, level, start.parts)
    once = np.flatnonzero(count == 2)
    asked.clear()
    owners = once.astype(np.int32) * 3 if owned else None
    ones = np.full(len(once), is_one)
    found = bends(lattice, pairs[once], corners[once], owners, is_one=ones)
    ends = lattice.points[:, pairs[once, 0]], lattice.points[:, pairs[once, 1]]
    return Pieces(lattice.place(corners[once, 0]), ends, found, asked)


def along(vertices: Array) -> Array:
    """Points along chords, float64[n, 2]."""
    share = np.linspace(0, 1, 33)[:, None, None]
    found: Array = (vertices[:-1] + share * (vertices[1:] - vertices[:-1])).reshape(-1, 2)
    return found


@settings(deadline=None, max_examples=40)
@given(
    at=st.tuples(*[st.floats(-0.5, 0.5)] * 2),
    size=st.floats(1, 4),
    level=st.integers(3, 5),
    fine=st.floats(0.1, 40),
    is_one=st.booleans(),
)
def test_a_circle_goes_by_as_few_points_as_it_may(
    at: tuple[float, float], size: float, level: int, fine: float, is_one: bool
) -> None:
    cell = 2.0 / (1 << level)
    radius = size * cell
    wanted = cell / (8 * size * fine)  # about the height of an arc as long as a cell is 1 / fine
    pieces = pieces_of(shapes.circle(radius).move(*at), level, wanted / SHARE, is_one=is_one)
    found, centre = pieces.found, np.array(at)
    points = (~np.isnan(found.points[..., 0])).sum(axis=1)
    for k, (p, q) in enumerate(zip(*(end.T for end in pieces.ends), strict=True)):
        height = radius - np.hypot(*((p + q) / 2 - centre))
        if height < 0.1 * radius and is_deep(pieces, k, centre, radius, cell):
            angle = np.arccos(1 - max(height, 0) / radius)
            heights = radius * (1 - np.cos(angle / np.array([1, 2, 4])[: 2 + is_one]))
            if (abs(heights / wanted - 1) > 0.02).all():
                assert found.is_near[k] == (heights < wanted).any()
                if found.is_near[k]:
                    assert points[k] == [0, 1, 3][(heights < wanted).argmax()]
        if found.is_near[k]:
            apart = np.abs(np.hypot(*(along(pieces.chords(k)) - centre).T) - radius)
            assert apart.max() <= wanted * 1.01
    assert not found.has_corner.any()


def is_deep(pieces: Pieces, k: int, centre: Array, radius: float, cell: float) -> bool:
    """Whether the middle of an arc is in its cell, off the sides, and the middles of its halves."""
    p, q = (end[:, k] - centre for end in pieces.ends)
    for way in (p + q, 3 * p + q, p + 3 * q):
        share = (centre + way * radius / np.hypot(*way) - pieces.low[:, k]) / cell
        if not (np.minimum(share, 1 - share) > 0.02).all():
            return False
    return True


WITHIN = st.builds(
    lambda cell, share: (cell + share) / 8, st.integers(-4, 3), st.floats(0.03, 0.97)
)
"""A coordinate within a cell."""


@settings(deadline=None, max_examples=100)
@given(
    turns=st.tuples(*[st.floats(0.02, 1.2)] * 2),
    at=st.tuples(*[WITHIN] * 2),
    angle=st.floats(0, 6),
    fine=st.sampled_from([0.5, 2, 8, 32, 1e4]),
    join=st.sampled_from([ivm.maximum, ivm.minimum]),
    value=st.sampled_from([1.0, 1e-6, 1e6]),
)
@example((1.0, 0.71875), (-0.291015625, 0.154296875), 0.0, 0.5, ivm.maximum, 1.0)  # a kept end
@example((0.05, 0.05), (0.03125, 0.0625), np.pi / 2, 1.75, ivm.maximum, 1.0)  # at a quarter
def test_a_corner_is_found(
    turns: tuple[float, float],
    at: tuple[float, float],
    angle: float,
    fine: float,
    join: Callable[..., ivm.Expr],
    value: float,
) -> None:
    wanted = 0.03 * min(turns) / fine  # about the height of a corner over the chord is 1 / fine
    sides = [
        np.cos(a) * (X - at[0]) + np.sin(a) * (Y - at[1])
        for a in (angle - turns[0], angle + turns[1])
    ]
    pieces = pieces_of(join(*sides) * value, 4, wanted / SHARE)
    corner = np.array(at)
    share = (corner - pieces.low.T) / 0.125
    off = np.minimum(share, 1 - share).min(axis=1)
    assume(off.max() > 0.02)
    here = off.argmax()
    p, q = (end[:, here] for end in pieces.ends)
    chord, long, short = q - p, *sorted(np.hypot(*(np.array([p, q]) - corner).T))[::-1]
    height = abs(chord[0] * (corner - p)[1] - chord[1] * (corner - p)[0]) / np.hypot(*chord)
    found, vertices = pieces.found, pieces.chords(here)
    if found.has_corner[here]:
        assert found.is_near[here]
        # crossings are kept from the ends of their sides, and tangents with them
        inner = np.array([p, q]) - pieces.low[:, here]
        along = np.minimum(np.abs(inner), np.abs(0.125 - inner)).max(axis=1)
        is_kept = along.min() <= 1.01 * AWAY[0] * wanted / SHARE
        # the rounding of tangents; else what is taken for a corner
        assert np.abs(vertices[1:-1] - corner).max() < (wanted / 8 if is_kept else 1e-10)
    elif found.is_near[here]:
        assert distance(corner, vertices) <= 1.4 * wanted
    if height > 40 * wanted or (height > 1.4 * wanted and short > 0.8 * long):
        assert found.has_corner[here]
    others = np.delete(np.arange(len(off)), here)
    assert not found.has_corner[others].any()


def distance(point: Array, vertices: Array) -> float:
    """The distance of a point from chords."""
    a, along = vertices[:-1], np.diff(vertices, axis=0)
    share = ((point - a) * along).sum(axis=1) / (along * along).sum(axis=1)
    away = point - a - np.clip(share, 0, 1)[:, None] * along
    return float(np.hypot(*away.T).min())


@pytest.mark.parametrize("leg", [0.03, 0.0925])
@pytest.mark.parametrize("slope", [0.2, 1.0])
def test_a_corner_has_straight_legs(leg: float, slope: float) -> None:
    """With a low slope the piece is taken for an arc first."""
    bump = 0.01 * ivm.exp(-(((X - leg) * 200) ** 2))
    for height, is_near in [(0, True), (1, False)]:
        pieces = pieces_of(Y - 0.02 - abs(X - 0.06) * slope - height * bump, 4, 2e-3)
        (here,) = np.flatnonzero((pieces.low == 0).all(axis=0))
        assert pieces.found.has_corner[here] == pieces.found.is_near[here] == is_near
        assert len(pieces.asked) == 2


@pytest.mark.parametrize("tolerance", [0.002, 0.004])
def test_points_are_on_the_curve(tolerance: float) -> None:
    """It is a line up to 0.1, and then a parabola: no arcs of circles."""
    curve = Y - 0.0625 - ivm.maximum(X - 0.1, 0) ** 2 / 2
    pieces = pieces_of(curve, 3, tolerance)
    points = pieces.found.points[~np.isnan(pieces.found.points[..., 0])]
    assert pieces.found.is_near.all()
    assert len(points) >= 4
    height = 0.0625 + np.maximum(points[:, 0] - 0.1, 0) ** 2 / 2
    assert np.abs(points[:, 1] - height).max() < 1e-8  # those that are asked for are 1e-5 off


def test_what_tangents_do_not_show_is_measured() -> None:
    bump = Y - 0.0625 - 0.01 * ivm.exp(-(((X - 0.125) * 50) ** 2))
    for tolerance, is_near in [(1e-3, False), (0.03, True)]:
        pieces = pieces_of(bump, 3, tolerance)
        (here,) = np.flatnonzero(pieces.low[0] == 0.0)
        assert pieces.found.is_near[here] == is_near
        assert pieces.found.is_near[np.arange(8) != here].all()


def test_points_stay_in_their_cells() -> None:
    """The curve leaves a cell by its upper side, and comes back by it."""
    arc = shapes.circle(0.5).move(0.125, -0.5 + 0.2501)
    pieces = pieces_of(arc, 3, 1e-4)
    (here,) = np.flatnonzero((pieces.low == 0).all(axis=0))
    assert not pieces.found.is_near[here]
    assert np.isnan(pieces.found.points[here]).all()


def test_two_batches_of_points_are_asked_for() -> None:
    shape = shapes.circle(0.6) - shapes.rectangle(0.5, 2) | shapes.rectangle(0.1, 0.2)
    pieces = pieces_of(shape, 4, 1e-3, owned=True)
    assert {(~np.isnan(way[:, 0])).sum() for way in pieces.found.points} == {0, 1, 3}
    assert pieces.found.has_corner.any()
    assert len(pieces.asked) == 2
    start = all_cells(4)
    for points, owners in pieces.asked:
        assert owners is not None
        assert (np.diff(owners) >= 0).all()  # those of a piece are neighbours
        cells = [numbers[owners // 3] for numbers in (start.i, start.j)]
        low = np.array([FRAME.coordinates(0, at, 4) for at in cells])
        assert (points >= low).all()
        assert (points <= low + 0.125).all()


@pytest.mark.parametrize("value", [Y > 0.1, ivm.floor(3 * Y) + 0.5], ids=["truth", "jumps"])
def test_nothing_is_asked_where_nothing_slopes(value: ivm.Expr) -> None:
    pieces = pieces_of(value, 3, 1e-3)
    assert len(pieces.low)
    assert not pieces.asked
    assert not pieces.found.is_near.any()
