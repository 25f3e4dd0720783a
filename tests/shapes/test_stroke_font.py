"""The stroke font: what it has, and every glyph against what shapely draws for its strokes."""

from __future__ import annotations

import string
import unicodedata
from typing import Any

import numpy as np
import pytest
import shapely

from intervalvm.expr import axes
from intervalvm.shapes.text.layout import Metrics, Row
from intervalvm.shapes.text.stroke_font import (
    GLYPHS,
    MARKS,
    OVER_CAPITALS,
    SIDES,
    StrokeFont,
    glyph,
)
from intervalvm.shapes.text.strokes import PEN, Arc, Dot, Line, Stroke

FONT = StrokeFont()
PROSE = "‘’‚“”„‹›«»–—…•·°¡¿−±×÷\N{HYPHEN}\N{NON-BREAKING HYPHEN}"
ACCENTED = "éèêëàâäùûüçôöîïÿñãõåÅÉÀÜÇŠčžāī"
INK = sorted(set(string.printable[:94] + PROSE + ACCENTED) | set(GLYPHS))
UNIT = 0.01
FINE = 64
"""Segments of a quarter circle where shapely draws one."""


def arc_points(arc: Arc, start: float, stop: float) -> Any:
    turn = np.radians(np.linspace(start, stop, 4 * FINE + 1))
    return np.column_stack([arc.x + arc.a * np.cos(turn), arc.y + arc.b * np.sin(turn)])


def inked(stroke: Stroke) -> Any:
    """What a pen of a round tip leaves that is drawn along a stroke."""
    if isinstance(stroke, Dot):
        return shapely.Point(stroke.x, stroke.y).buffer(stroke.radius, quad_segs=FINE)
    if isinstance(stroke, Line):
        path = shapely.LineString([(stroke.x0, stroke.y0), (stroke.x1, stroke.y1)])
    else:
        path = shapely.LineString(arc_points(stroke, stroke.start, stroke.stop))
    return path.buffer(PEN, quad_segs=FINE)


def tolerance(char: str) -> float:
    """How far the edge may be off, in font units.

    Lengths are rounded to a hundredth of a unit and directions to five digits. An ellipse's edges
    are ellipses, not curves of one distance: they differ most where its axes do.
    """
    found = glyph(char)
    assert found
    arcs = [stroke for stroke in found.strokes if isinstance(stroke, Arc)]
    return 0.1 + max((abs(arc.a - arc.b) * 0.07 for arc in arcs), default=0)


def metrics(char: str) -> Metrics:
    found = glyph(char)
    assert found, char
    return found.metrics


@pytest.mark.parametrize("char", INK)
def test_a_glyph_is_what_a_round_pen_draws(char: str) -> None:
    found = glyph(char)
    assert found
    ink = shapely.union_all([inked(stroke) for stroke in found.strokes])
    x, y, _ = axes()
    (placed,) = FONT.set(char, 0).glyphs
    tape = FONT.pens(x, y, UNIT, [Row(0.0, [])])[0](placed).tape()
    left, bottom, right, top = ink.bounds
    px, py = np.meshgrid(np.linspace(left - 9, right + 9, 61), np.linspace(bottom - 9, top + 9, 67))
    inside = tape(px * UNIT, py * UNIT) < 0
    assert inside.any()
    wrong = inside != shapely.contains_xy(ink, px, py)
    off = shapely.distance(ink.boundary, shapely.points(px[wrong], py[wrong]))
    assert off.max(initial=0.0) < tolerance(char)


@pytest.mark.parametrize("char", INK)
def test_a_glyph_keeps_within_its_advance(char: str) -> None:
    """But for the tail of j, marks wider than an i, and the height of a capital with a mark."""
    found = glyph(char)
    assert found
    room = found.metrics
    left, bottom, right, top = shapely.union_all([inked(s) for s in found.strokes]).bounds
    letter = unicodedata.normalize("NFD", char)[0]
    if letter not in "jȷ" and char not in "îïìíī":
        assert left >= -room.before
        assert right <= room.width + room.after + 1
    assert bottom >= FONT.descent - PEN
    is_marked = letter.isupper() and letter != char
    assert top <= FONT.ascent + PEN + OVER_CAPITALS * is_marked


def test_what_prose_needs_is_there() -> None:
    for char in string.printable[:95] + PROSE + ACCENTED + "\N{NO-BREAK SPACE}":
        assert metrics(char)
    for char in "\t\nαл中ø":
        assert FONT.missing(char) == (0, char)


def test_a_letter_with_a_mark_is_as_wide_as_the_letter() -> None:
    for char, base in ("ée", "ÅA", "çc", "ïi"):
        assert metrics(char) == metrics(base)
    plain, dotted = glyph("i"), glyph("ï")
    assert plain
    assert dotted
    assert sum(isinstance(s, Dot) and s.radius > PEN for s in plain.strokes) == 1
    assert sum(isinstance(s, Dot) and s.radius > PEN for s in dotted.strokes) == 2


def test_spaces_have_no_ink_and_no_break_space_is_as_wide() -> None:
    space = metrics(" ")
    assert space
    assert not space.ink
    assert metrics("\N{NO-BREAK SPACE}") == space


def test_the_table_is_sound() -> None:
    for char, (sides, width, *strokes) in GLYPHS.items():
        assert len(char) == 1
        assert set(sides) <= set(SIDES)
        assert len(sides) == 2
        assert width >= 0
        assert strokes
    assert all(MARKS.values())
