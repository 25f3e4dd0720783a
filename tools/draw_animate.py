"""The picture of docs/animate.md: ``python tools/draw_animate.py`` draws it anew."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import intervalvm as ivm
from intervalvm.shapes import Shape, circle

TOP = Path(__file__).resolve().parents[1]
PLACE = TOP / "docs" / "animate"
NAME, FRAMES, SIZE = "gears.gif", 30, 320
GEARS = runpy.run_path(str(TOP / "examples" / "planetary.py"))
SUN, PLANET, RING, PLANETS = (GEARS[name] for name in ("SUN", "PLANET", "RING", "PLANETS"))
AWAY, MODULE = GEARS["AWAY"], GEARS["MODULE"]
PAPER, CASE, GOLD, TEAL = "#f7f4ec", "#26345c", "#e0a030", "#3d8a94"


def frame(t: float) -> Shape:
    """The gears of the example in the plane. The carrier turns on to where the next planet was."""
    wheel: Callable[..., Shape] = GEARS["wheel"]
    carrier = 360 / PLANETS * t
    sun = (wheel(SUN) - circle(0.13)).rotate(carrier * (1 + RING / SUN))
    planet = (wheel(PLANET) - circle(0.12)).rotate(-carrier * RING / PLANET)
    planets = planet.move(AWAY).repeat_around(PLANETS).rotate(carrier)
    case = circle(MODULE * RING / 2 + 0.11) - wheel(RING, 0.1)
    return sun.paint(GOLD) | planets.paint(TEAL) | case.paint(CASE)


def main() -> None:
    """Draw it."""
    PLACE.mkdir(exist_ok=True)
    ivm.animate(
        frame, FRAMES, PLACE / NAME, seconds=2.0, size=SIZE, antialias=4, paper=PAPER,
        region=ivm.Region.around((0, 0), 1.0),
    )  # fmt: skip


if __name__ == "__main__":
    main()
