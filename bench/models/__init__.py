"""Solids of other kinds than the models of the field, by the operations that they are made of.

``solids`` lists those that meshes are made of, each with the cube that it fits in.
"""

from __future__ import annotations

import math
import runpy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import intervalvm as ivm
from bench.models import lantern, octopus
from bench.subject import TOP
from intervalvm.shapes import Shape, box, torus

Range = tuple[float, float]

OF_THE_FIELD = {"colonnade.vm": 1.0, "tanglecube.vm": 1 / 0.222}
"""Files and half the side of their cubes: the second's first line recommends that scale."""


@dataclass(frozen=True)
class Solid:
    """A tape, and half the side of a cube about the origin that holds all that is inside."""

    name: str
    tape: ivm.Tape
    half_side: float = 1.0

    @property
    def region(self) -> tuple[Range, Range, Range]:
        """The cube's sides."""
        return ((-self.half_side, self.half_side),) * 3


def solids(folder: Path) -> Iterator[Solid]:
    """Ten solids; the models of the field are read from ``folder`` if they are there."""
    for file, half_side in OF_THE_FIELD.items():
        if (folder / file).is_file():
            yield Solid(Path(file).stem, ivm.load(folder / file), half_side)
    yield Solid("prospero3d", ivm.load(TOP / "prospero3d.vm"))
    yield Solid("octopus", octopus.build().tape())
    yield Solid("lantern", lantern.build().tape())
    yield Solid("torus", torus(0.6, 0.25).tape())
    yield Solid("chamfered box", chamfered_box().tape())
    yield Solid("gear", _example("gear").extrude(0.3).tape())
    yield Solid("gyroid in a ball", _example("gyroid").tape())
    yield Solid("bearing", _example("bearing").tape())


def missing(folder: Path) -> list[str]:
    """The models of the field that are not in the folder."""
    return [file for file in OF_THE_FIELD if not (folder / file).is_file()]


def chamfered_box(side: float = 1.23, chamfer: float = 0.11) -> Shape:
    """A cube whose twelve edges are cut off, ``chamfer`` from each on both sides: 26 corners."""

    def cut(x: ivm.Expr, y: ivm.Expr, z: ivm.Expr) -> ivm.Expr:
        u, v, w = abs(x), abs(y), abs(z)
        diagonal = ivm.maximum(ivm.maximum(u + v, v + w), w + u)
        return (diagonal - (side - chamfer)) / math.sqrt(2)

    return box(side, side, side) & Shape(cut)


def _example(name: str) -> Shape:
    """What the script of ``examples`` builds."""
    found: Shape = runpy.run_path(str(TOP / "examples" / f"{name}.py"))["build"]()
    return found
