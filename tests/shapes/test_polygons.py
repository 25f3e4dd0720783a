"""Polygons and hulls: membership is shapely's, the work is near linear, signs are exact."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from intervalvm import shapes as s
from intervalvm.api.evaluate import evaluate
from intervalvm.errors import OptionError
from intervalvm.shapes.planar import hull, meet, meeting_sides, turn

small = st.integers(-6, 6)
lattice = st.tuples(small, small)
anywhere = st.tuples(*[st.floats(-1, 1, width=32)] * 2)


def untangled(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A simple polygon through the points: crossing sides are swapped, which shortens it."""
    for _ in range(2000):
        pair = meeting_sides(points)
        if pair is None:
            return points
        i, j = pair
        if j == i + 1 or (i, j) == (0, len(points) - 1):
            return []  # a side turns back: the points lie on a line
        points = points[: i + 1] + points[i + 1 : j + 1][::-1] + points[j + 1 :]
    return []


@given(st.lists(lattice | anywhere, min_size=3, max_size=25, unique=True), st.integers(0, 99))
@settings(max_examples=150)
def test_a_polygon_is_what_shapely_says(points: Any, seed: int) -> None:
    corners = untangled([(float(x), float(y)) for x, y in points])
    area = shapely.Polygon(corners) if corners else None
    if area is None or not area.is_valid:
        return
    check_polygon(corners, area, seed)


@given(st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=6, max_size=6))
@settings(max_examples=60)
def test_steps_and_slots_that_line_up(cells: Any) -> None:
    """Sides on common lines, where rays are opposite and run along other sides."""
    squares = [
        shapely.box(i, j, i + 1, j + 1)
        for i, row in enumerate(cells)
        for j, full in enumerate(row)
        if full
    ]
    joined = shapely.union_all(squares)
    for area in getattr(joined, "geoms", [joined]):
        if not area.is_empty:
            outline = shapely.Polygon(area.exterior)
            check_polygon(list(area.exterior.coords), outline, 0)


def check_polygon(corners: Any, area: Any, seed: int) -> None:
    shape = s.polygon(corners)
    low, high = np.min(corners, axis=0) - 0.3, np.max(corners, axis=0) + 0.3
    x, y = np.random.default_rng(seed).uniform(low, high, (300, 2)).T
    field = evaluate(shape, x, y, dtype="float64")
    distance = shapely.distance(area.exterior, shapely.points(x, y))
    clear = distance > 1e-9
    np.testing.assert_array_equal((field < 0)[clear], shapely.contains_xy(area, x, y)[clear])
    assert (np.abs(field) <= distance + 1e-9).all()


def outlines(n: int) -> dict[str, list[tuple[float, float]]]:
    """Polygons with ``n`` corners or so, of every kind that a way to cut them may be slow for."""
    turns = 2 * math.pi * np.arange(n) / n
    wind, wall = np.linspace(0, n / 20, n // 2), np.repeat([0.0, 0.2], n // 2)
    radii = {
        "circle": (turns, np.ones(n)),
        "star": (turns, np.tile([1.0, 0.6], n // 2)),
        "bumps": (turns, 1 + 0.1 * np.sin(9 * turns) + 0.05 * np.cos(31 * turns)),
        "random": (turns, np.random.default_rng(8).uniform(0.3, 1, n)),
        "spiral": (np.r_[wind, wind[::-1]], 1 + np.r_[wind, wind[::-1]] / 10 + wall),
    }
    teeth = range(n // 4)
    steps = [(float(i), float(i + up)) for i in range(n // 2) for up in (0, 1)]
    way = np.array([1, 1j, -1, -1j])[np.arange(n // 2) % 4]
    corner = np.cumsum(way * (np.arange(n // 2) + 2))
    inner = corner + 0.25 * (1j - 1) * way
    walls = [(p.real, p.imag) for p in np.r_[corner, inner[::-1]]]
    return {
        **{
            name: list(zip((r * np.cos(a)).tolist(), (r * np.sin(a)).tolist(), strict=True))
            for name, (a, r) in radii.items()
        },
        "rack": [(0.0, -1.0), *((i / 2, i % 2 * 5.0) for i in range(n - 3)), (n / 2, -1.0)],
        "comb": [(i + dx, y) for i in teeth for dx, y in ((0, 8), (0.5, 8), (0.5, 0), (1, 0))]
        + [(n // 4, -1), (0, -1)],
        "steps": [*steps, (float(n), -1.0)],
        "square spiral": walls,
    }


KINDS = list(outlines(20))


@pytest.mark.parametrize("kind", KINDS)
def test_polygons_of_every_kind(kind: str) -> None:
    corners = outlines(300)[kind]
    area = shapely.Polygon(corners)
    assert area.is_valid
    check_polygon(corners, area, 0)
    assert meeting_sides(corners) is None


@pytest.mark.parametrize("kind", KINDS)
def test_making_a_polygon_takes_near_linear_work(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In signs of turns, which are most of it: some n log n of them."""
    from intervalvm.shapes import planar, polygons

    count = 0

    def counted(*points: Any) -> int:
        nonlocal count
        count += 1
        return turn(*points)

    monkeypatch.setattr(planar, "turn", counted)
    monkeypatch.setattr(polygons, "turn", counted)
    for n in (400, 3200):
        count = 0
        s.polygon(outlines(n)[kind])
        assert 0 < count < 10 * n * math.log2(n)


def shares_more_than_a_corner(corners: Any, i: int, j: int) -> bool:
    """Of sides i < j, by the definition."""
    n = len(corners)
    a, b, c, d = corners[i], corners[i + 1], corners[j], corners[(j + 1) % n]
    for first, corner, last in ((a, b, d),) * (j == i + 1) + ((c, a, b),) * ((j + 1) % n == i):
        if turn(first, corner, corner, last) == 0:
            back = np.subtract(first, corner) @ np.subtract(last, corner) > 0
            if back:
                return True
    is_next = j == i + 1 or (j + 1) % n == i
    return not is_next and meet(a, b, c, d)


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 2), min_size=3, max_size=12))
@settings(max_examples=400)
def test_the_sweep_finds_sides_that_meet_where_there_are_such(points: Any) -> None:
    corners = [(float(x), float(y)) for x, y in points]
    corners = [p for before, p in zip(corners[-1:] + corners, corners, strict=False) if p != before]
    if len(corners) < 3:
        return
    pairs = [
        (i, j)
        for j in range(len(corners))
        for i in range(j)
        if shares_more_than_a_corner(corners, i, j)
    ]
    found = meeting_sides(corners)
    assert found in pairs if pairs else found is None


def test_a_polygon_has_a_half_plane_a_side_and_joins_them_all() -> None:
    corners = [
        (math.cos(i) * (2 + i % 3), math.sin(i) * (2 + i % 3)) for i in np.arange(0, 6.2, 0.1)
    ]
    counts = s.polygon(corners).tape().counts()
    assert counts["min"] + counts["max"] == len(corners) - 1
    assert counts["max"] > counts["min"] > 0


def test_a_polygon_does_not_mind_direction_repetition_or_points_between() -> None:
    corners = [(0, 0), (1, 0), (1, 1), (0, 1)]
    tape = s.polygon(corners).tape()
    assert s.polygon(np.array(corners)).tape() == tape
    assert s.polygon(corners + corners[:1]).tape() == tape
    assert s.polygon([corners[0]] * 3 + corners[1:]).tape() == tape
    assert s.polygon([*corners[:2], (1, 0.25), (1, 0.5), *corners[2:]]).tape() == tape
    assert len(s.polygon(corners[::-1]).tape()) == len(tape)


def test_the_message_names_the_sides_that_cross() -> None:
    with pytest.raises(
        OptionError, match=r"\(0\.0, 0\.0\)\.\.\(2\.0, 2\.0\) and \(2\.0, 0\.0\)\.\.\(0\.0, 2\.0\)"
    ):
        s.polygon([(0, 0), (2, 2), (2, 0), (0, 2)])


def test_signs_are_exact_where_float64_is_not() -> None:
    tiny = 2.0**-53
    a, b = (0.5, 0.5), (12.0, 12.0)
    for i in range(5):
        for j in range(5):
            p = (0.5 + i * tiny, 0.5 + j * tiny)
            assert turn(a, b, a, p) == (j > i) - (j < i)
    assert turn((0.0, 0.0), (1e-200, 0.0), (0.0, 0.0), (0.0, 1e-200)) == 1
    assert turn((0.0, 0.0), (1e200, 1e200), (0.0, 0.0), (1e200, 1e200)) == 0


@pytest.mark.parametrize("pitch", [0.0, 0.1, 1e-12])
@pytest.mark.parametrize("seed", range(8))
def test_the_hull_of_many_points(pitch: float, seed: int) -> None:
    """On a lattice, where many lie on the sides of the hull, and beside one."""
    points = np.random.default_rng(seed).uniform(-1, 1, (300, 2))
    points = np.unique(np.round(points / pitch) * pitch if pitch else points, axis=0)
    check_hull([tuple(point) for point in points.tolist()])


@given(st.lists(lattice, min_size=1, max_size=20, unique=True))
@settings(max_examples=60)
def test_the_hull_is_the_extreme_points(points: Any) -> None:
    check_hull(points)


def check_hull(points: Any) -> None:
    found = hull(points, range(len(points)))
    assert all(
        turn(points[i], points[j], points[i], p) >= 0
        for i, j in zip(found, found[1:] + found[:1], strict=True)
        for p in points
    )
    corners = zip(found, found[1:] + found[:1], found[2:] + found[:2], strict=True)
    assert len(found) < 3 or all(
        turn(points[i], points[j], points[j], points[k]) > 0 for i, j, k in corners
    )
    assert {min(points), max(points)} <= {points[k] for k in found}
