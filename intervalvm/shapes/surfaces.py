"""Triply periodic surfaces: sums of waves that look like minimal surfaces.

Each is the zero set of w(X, Y, Z) with X = 2 pi x / period, and so on. ``thickness=None`` fills the
labyrinth where w < 0; a number makes a sheet.

The formulas are the usual first terms of the surfaces' Fourier series (A. H. Schoen, "Infinite
periodic minimal surfaces without self-intersections", 1970, names the surfaces; M. Wohlgemuth and
others, "Triply periodic bicontinuous cubic microdomain morphologies by symmetries", 2001, the
series). w is divided by its largest slope, so the field is a bound, and a sheet is ``thickness``
thick where w is steepest, else thicker.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from intervalvm.expr import Expr, absolute, cos, sin, square
from intervalvm.hints import hinted
from intervalvm.shapes import values as v
from intervalvm.shapes.shape import Shape
from intervalvm.shapes.values import Value

Wave = Callable[[Expr, Expr, Expr], Expr]


def _periodic(wave: Wave, steepest: float, period: Value, thickness: Value | None) -> Shape:
    pitch = 2 * math.pi / v.positive("period", period)
    half = None if thickness is None else v.positive("thickness", thickness) * 0.5

    def field(*p: Expr) -> Expr:
        w = wave(*(c * pitch for c in p)) / (pitch * steepest)
        return w if half is None else absolute(w) - half

    return Shape._of(field)


@hinted
def gyroid(period: Value, thickness: Value | None = None) -> Shape:
    """Schoen's gyroid.

    Formula: sin X cos Y + sin Y cos Z + sin Z cos X, over its steepest slope: by the inequality of
    Cauchy and Schwarz (cos X cos Y - sin X sin Z)^2 <= cos^2 Y + sin^2 Z, and the three sum to 3.
    Field: a bound.
    """

    def wave(x: Expr, y: Expr, z: Expr) -> Expr:
        return sin(x) * cos(y) + sin(y) * cos(z) + sin(z) * cos(x)

    return _periodic(wave, math.sqrt(3), period, thickness)


@hinted
def schwarz_p(period: Value, thickness: Value | None = None) -> Shape:
    """Schwarz' P surface.

    Formula: cos X + cos Y + cos Z, over its steepest slope, the root of 3. Field: a bound.
    """
    return _periodic(lambda x, y, z: cos(x) + cos(y) + cos(z), math.sqrt(3), period, thickness)


@hinted
def schwarz_d(period: Value, thickness: Value | None = None) -> Shape:
    """Schwarz' D surface, the diamond.

    Formula: cos X cos Y cos Z - sin X sin Y sin Z, over its steepest slope, the root of 3/2 (found
    on a grid of 2.5 degrees, on which it lies). Field: a bound.
    """

    def wave(x: Expr, y: Expr, z: Expr) -> Expr:
        return cos(x) * cos(y) * cos(z) - sin(x) * sin(y) * sin(z)

    return _periodic(wave, math.sqrt(1.5), period, thickness)


@hinted
def neovius(period: Value, thickness: Value | None = None) -> Shape:
    """Neovius' surface.

    Formula: 3 (cos X + cos Y + cos Z) + 4 cos X cos Y cos Z, over its steepest slope, 7 (found on a
    grid of 2.5 degrees, on which it lies). Field: a bound.
    """

    def wave(x: Expr, y: Expr, z: Expr) -> Expr:
        a, b, c = cos(x), cos(y), cos(z)
        return (a + b + c) * 3.0 + a * b * c * 4.0

    return _periodic(wave, 7.0, period, thickness)


@hinted
def iwp(period: Value, thickness: Value | None = None) -> Shape:
    """Schoen's I-WP surface.

    Formula: 2 (cos X cos Y + cos Y cos Z + cos Z cos X) - cos 2X - cos 2Y - cos 2Z, where cos 2X is
    2 cos^2 X - 1, over its steepest slope, the root of 27 (found on a grid of 2.5 degrees, on which
    it lies). Field: a bound.
    """

    def wave(x: Expr, y: Expr, z: Expr) -> Expr:
        a, b, c = cos(x), cos(y), cos(z)
        return (a * b + b * c + c * a) * 2.0 - (square(a) + square(b) + square(c)) * 2.0 + 3.0

    return _periodic(wave, math.sqrt(27), period, thickness)
