"""Options of shading: ``Light`` and ``Shading``, checked when they are made, but for words."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from intervalvm.arguments import brief, integer, parts_of, real
from intervalvm.checks import integer_within
from intervalvm.colours import Colour, Rgb, colour, paper_colour
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.words import SolidMode

MOST_LIGHTS = 16
WIDEST_WINDOW = 4
LEAST_RADIUS = 0.001


def _set(owner: Any, **values: Any) -> None:
    """Set fields of a frozen dataclass while it is made."""
    for name, value in values.items():
        object.__setattr__(owner, name, value)


def _between(name: str, value: Any, least: float, most: float) -> float:
    found = real(name, value)
    if not least <= found <= most:
        raise OptionError(f"{name}={brief(value)}: give a number from {least:g} to {most:g}")
    return found


def _window(value: Any) -> int:
    try:
        found = integer(value)
    except TypeError:
        raise ArgumentTypeError(f"smooth={brief(value)}: give an integer") from None
    return integer_within("smooth", found, 0, WIDEST_WINDOW)


def _lights(value: Any) -> tuple[Light, ...]:
    found = parts_of("lights", value, MOST_LIGHTS)
    if len(found) > MOST_LIGHTS:
        raise OptionError(f"more than {MOST_LIGHTS} lights: give fewer")
    for light in found:
        if not isinstance(light, Light):
            raise ArgumentTypeError(f"lights has {brief(light)}: give objects of Light")
    return found


CLEAR = "none"
"""A transparent background."""


def two_colours(value: Any) -> tuple[Rgb, Rgb] | None:
    """Those of the top and the bottom, of one colour or two; None for a transparent background."""
    if isinstance(value, Iterable) and not isinstance(value, str):
        parts = parts_of("background", value)
        if len(parts) == 2:
            top, bottom = (colour(part, "background") for part in parts)
            return top, bottom
        value = parts
    found = paper_colour(value, "background")
    return None if found is None else (found, found)


@dataclass(frozen=True)
class Light:
    """A light from far away.

    Parameters
    ----------
    direction : (float, float, float)
        Where it comes from in view space: x right, y up, z towards the viewer; of any length.
    strength : float
        0 to 10.
    colour : colour
        "#c84", "#cc8844", a name of CSS, or three integers from 0 to 255.
    wrap : float
        0 to 1: how far it reaches round to what is turned away, as a large light's does.
    gloss : float
        0 to 1: the strength of its highlights.

    Raises
    ------
    OptionError, ArgumentTypeError
        For an invalid value, or one of another type.
    """

    direction: tuple[float, float, float]
    strength: float = 1.0
    colour: Colour = (255, 255, 255)
    wrap: float = 0.0
    gloss: float = 0.0

    def __post_init__(self) -> None:
        way = tuple(real("direction", part) for part in parts_of("direction", self.direction))
        if len(way) != 3 or not 0 < math.hypot(*way) < math.inf:
            raise OptionError(
                f"direction={brief(self.direction)}: give x, y and z in view space, not all 0, "
                "as in (-0.5, 0.7, 0.6)"
            )
        _set(self, direction=way, colour=colour(self.colour))
        for name, most in (("strength", 10.0), ("wrap", 1.0), ("gloss", 1.0)):
            _set(self, **{name: _between(name, getattr(self, name), 0.0, most)})


KEY = Light((-0.5, 0.7, 0.6), 0.78, (255, 246, 234), 0.1, 0.1)
FILL = Light((0.8, 0.1, 0.5), 0.22, (196, 216, 255), 0.3)
RIM = Light((0.35, 0.5, -0.8), 0.4, (220, 232, 255), 0.1)


@dataclass(frozen=True)
class Shading:
    """How a picture of a solid is shaded. A colour is "#c84", "#cc8844", a name of CSS, or three
    integers from 0 to 255.

    Parameters
    ----------
    mode : {"shaded", "normals", "heightmap", "occlusion"}
        Lights on a material; normals in view space as colours n / 2 + 1 / 2; greys by depth,
        nearest brightest; or the light that occlusion leaves.
    material : colour
        Of a solid without colours of its own.
    lights : sequence of Light
        At most 16; by default a warm one from the upper left, a weak cool one from the right and a
        third one from behind.
    sky, floor : colour
        Of the light from all sides, for what faces up and down.
    occlusion : float
        0 (off) to 4: how much of the light from all sides is taken away in hollows.
    radius : float
        0.001 to 1: how far away occlusion is caused.
    smooth : int
        0 (off) to 4: the pixels each way over which normals of one face are averaged.
    edges : float
        0 (off) to 1: how dark lines are where depth steps or the surface bends.
    background : colour or (colour, colour)
        One colour, or those of the top and the bottom, or "none" for transparent.
    shadow : float
        0 (off) to 1: how dark the shadow on the ground is. It is an approximation: see ``ground``.
        A transparent background has none.

    Raises
    ------
    OptionError, ArgumentTypeError
        For an invalid value, or one of another type.
    """

    mode: SolidMode = "shaded"
    material: Colour = (217, 215, 211)
    lights: tuple[Light, ...] = (KEY, FILL, RIM)
    sky: Colour = (172, 180, 194)
    floor: Colour = (122, 115, 110)
    occlusion: float = 1.0
    radius: float = 0.25
    smooth: int = 2
    edges: float = 0.4
    background: Colour | tuple[Colour, Colour] = ((246, 246, 244), (219, 222, 226))
    shadow: float = 0.0

    def __post_init__(self) -> None:
        for name in ("material", "sky", "floor"):
            _set(self, **{name: colour(getattr(self, name), name)})
        ranges = {"occlusion": 4.0, "edges": 1.0, "shadow": 1.0}
        for name, most in ranges.items():
            _set(self, **{name: _between(name, getattr(self, name), 0.0, most)})
        _set(self, radius=_between("radius", self.radius, LEAST_RADIUS, 1.0))
        _set(self, lights=_lights(self.lights), smooth=_window(self.smooth))
        _set(self, background=two_colours(self.background) or CLEAR)
        if self.is_clear and self.shadow:
            raise OptionError("a shadow lies on the background: give that a colour, or shadow=0")

    @property
    def is_clear(self) -> bool:
        """Whether the background is transparent."""
        return self.background == CLEAR
