"""Random outlines for Hypothesis: nested curves of lines and arcs whose tree is known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from intervalvm.outlines.outline import Outline, OutlineStats

Curve = NDArray[np.float64]
TOLERANCE = 1e-6


def stats(tolerance: float = TOLERANCE) -> OutlineStats:
    """Statistics of an outline with this tolerance."""
    cells = {"proven": 3, "undecided": 1, "evaluated": 9}
    return OutlineStats(12, tolerance, cells, {"compile": 0.01, "cells": 0.002})


def polygon(centre: complex, radius: float, sides: int, turn: float = 0.0) -> Curve:
    """A regular polygon, counter-clockwise and closed."""
    angles = turn + 2 * math.pi * np.arange(sides) / sides
    corners = centre + radius * np.exp(1j * angles)
    points = np.stack([corners.real, corners.imag], 1)
    return np.append(points, points[:1], axis=0)


def backwards(curve: Curve, bulges: Curve) -> tuple[Curve, Curve]:
    """The same curve the other way."""
    return curve[::-1], -bulges[::-1]


@st.composite
def rings(draw: st.DrawFn, centre: complex, radius: float) -> tuple[Curve, Curve]:
    """A counter-clockwise curve about ``centre``, between 0.5 and 1 times ``radius``, and bulges.

    It is a polygon of 2 to 9 sides whose sides may be arcs. An arc bulges out no farther than the
    circle around all corners, or in by at most a tenth of the side.
    """
    sides = draw(st.integers(2, 9))
    curve = polygon(centre, radius, sides, draw(st.floats(0, 7)))
    full = math.tan(math.pi / sides / 2)  # on the circle
    share = st.just(1.0) if sides == 2 else st.sampled_from([-0.2, 0.0, 0.25, 0.75, 1.0])
    bulges = full * np.array([draw(share) for _ in range(sides)])
    return curve, np.where(bulges < 0, np.maximum(bulges, -0.2), bulges)


Tree = list[tuple[Curve, Curve, int]]
"""Curves, their bulges, and the index of the curve around each, or -1."""


@st.composite
def trees(draw: st.DrawFn, with_arcs: bool = True, depth: int = 3) -> Tree:
    """Nested curves: outer ones, holes in them, outer ones in these, and so on."""
    found: Tree = []

    def add(centre: complex, radius: float, level: int, around: int) -> None:
        curve, bulges = draw(rings(centre, radius))
        if not with_arcs:
            bulges = np.zeros(len(bulges))
            if len(curve) == 3:
                curve, bulges = polygon(centre, radius, 3), np.zeros(3)
        if level % 2:
            curve, bulges = backwards(curve, bulges)
        mine = len(found)
        found.append((curve, bulges, around))
        if level < depth:
            # a polygon of three sides holds half its radius, less what sides bulge inwards
            for k in range(draw(st.integers(0, 2))):
                add(centre + (k - 0.5) * 0.3 * radius, 0.12 * radius, level + 1, mine)

    for k in range(draw(st.integers(1, 3))):
        add(complex(2.5 * k, draw(st.floats(-1, 1))), draw(st.floats(0.25, 1)), 0, -1)
    order = draw(st.permutations(range(len(found))))
    place = {old: new for new, old in enumerate(order)}
    return [(*found[i][:2], place.get(found[i][2], -1)) for i in order]


def outline_of(tree: Tree, **more: Any) -> Outline:
    """The outline of the curves of a tree; without bulges if they are 0."""
    curves, bulges, _ = zip(*tree, strict=True)
    has_arcs = any(each.any() for each in bulges)
    more.setdefault("stats", stats())
    return Outline(curves, bulges if has_arcs else None, **more)


def parents_of(tree: Tree) -> list[int]:
    """The curve that each is a hole of, or -1."""
    is_hole = [shoelace(curve) < 0 or _is_backwards(b) for curve, b, _ in tree]
    return [around if hole else -1 for hole, (_, _, around) in zip(is_hole, tree, strict=True)]


def _is_backwards(bulges: Curve) -> bool:
    return len(bulges) == 2 and bool(bulges[0] < 0)


def shoelace(curve: Curve) -> float:
    """The area in a closed polygon."""
    (x0, y0), (x1, y1) = curve[:-1].T, curve[1:].T
    return float((x0 * y1 - x1 * y0).sum() / 2)


def fine(curve: Curve, bulges: Curve, lines: int = 400) -> Curve:
    """A curve with each arc as many lines, by complex numbers: the oracle of arcs."""
    points = [curve[:1]]
    for (x0, y0), (x1, y1), b in zip(curve[:-1], curve[1:], bulges, strict=True):
        a, z = complex(x0, y0), complex(x1, y1)
        if b == 0:
            points.append(np.array([[x1, y1]]))
            continue
        centre = (a + z) / 2 + (z - a) * 1j * (1 - b * b) / (4 * b)
        turned = centre + (a - centre) * np.exp(4j * math.atan(b) * np.arange(1, lines + 1) / lines)
        points.append(np.stack([turned.real, turned.imag], 1))
    found = np.concatenate(points)
    found[-1] = found[0]
    return found
