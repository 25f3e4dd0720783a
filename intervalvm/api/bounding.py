"""``bounding_box`` and ``shape.bounds()``: a box that is proven to hold a shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from intervalvm.api.dispatch import compiled_evaluator
from intervalvm.api.inputs import box_of, check_real, side_of
from intervalvm.arguments import real
from intervalvm.checks import positive
from intervalvm.environment import in_default_environment
from intervalvm.errors import OptionError
from intervalvm.evaluate.points import reads
from intervalvm.expr import TapeLike, as_tape, settings_for
from intervalvm.hints import hinted
from intervalvm.proof.extent import Endless, extent
from intervalvm.tape import Tape
from intervalvm.words import Meaning

WIDE = np.dtype(np.float64)
SHARE = 0.01
"""The tolerance by default."""
GIVEN = (
    "say which part of it, as in region=(-1, 1, -1, 1)",
    "say which part of it, as in region=((-1, 1), (-1, 1), (-1, 1))",
)
"""The way out of a call that takes a region, in the plane and in space."""
CUT = (
    "cut it off, as in shape & rectangle(2, 2), or give contour and render a region",
    "cut it off, as in shape & box(2, 2, 2), or give mesh a region",
)
"""That of one that does not."""
Ends = tuple[float, float]
"""Of a side, the lower first."""


class Rectangle(NamedTuple):
    """The ends of the sides of a box in the plane."""

    x: Ends
    y: Ends


class Box(NamedTuple):
    """The ends of the sides of a box in space."""

    x: Ends
    y: Ends
    z: Ends


@in_default_environment
@hinted
def bounding_box(
    shape: TapeLike,
    *,
    tolerance: float = SHARE,
    z: float | None = None,
    variables: Mapping[str, float] | None = None,
) -> Rectangle | Box | None:
    """A box that is proven to hold every point inside a shape, all over the plane or space.

    It is proven for the real function, by bounds, so no point is missed. ``shape.bounds()`` is the
    same. ``render``, ``contour``, ``mesh`` and ``View.fit`` take the box.

    Parameters
    ----------
    shape : Tape, Expr or Shape
    tolerance : float
        By which share of the longest side the box may reach too far, where bounds can tell.
    z : float, optional
        Bound the slice at this height, in place of the solid.
    variables : dict of str to float, optional

    Returns
    -------
    ((float, float), (float, float)) or ((float, float), (float, float), (float, float)) or None
        The ends (low, high) along x and y, and z if the shape reads it: a named tuple with these
        names. None if the shape is empty.

    Raises
    ------
    OptionError
        For a shape without end, as a half plane, one that bounds cannot prove to have an end, and
        an invalid argument.
    VariableError
        For a free variable without a value.
    """
    return _box(shape, positive("tolerance", tolerance), z, variables, CUT)


def default_region(
    shape: TapeLike, *, z: float | None = None, variables: Mapping[str, float] | None = None
) -> Rectangle | Box | None:
    """The same box, for a call that takes a region: where there is none, the error says so."""
    return _box(shape, SHARE, z, variables, GIVEN)


def _box(
    shape: TapeLike,
    share: float,
    z: float | None,
    variables: Mapping[str, float] | None,
    ways: tuple[str, str],
) -> Rectangle | Box | None:
    """The box. ``ways`` out of an error are of the plane and of space."""
    tape = as_tape(shape)
    is_solid = z is None and "z" in reads(tape)
    fixed = {} if is_solid else {"z": 0.0 if z is None else real("z", z)}
    given = zip(tape.variables, tape.settings(settings_for(shape, variables)), strict=True)
    settings = {name: real(name, value) for name, value in given}
    axes = ("x", "y", "z") if is_solid else ("x", "y")
    try:
        sides = _extent(tape, axes, fixed | settings, share)
    except Endless:
        raise OptionError(
            "bounds prove no end of the shape, which may go on for ever, as a half plane and a "
            f"gyroid do: {ways[is_solid]}"
        ) from None
    if sides is None:
        return None
    return Box(*sides) if is_solid else Rectangle(*sides)


def _extent(
    tape: Tape, axes: Sequence[str], fixed: Mapping[str, float], tolerance: float
) -> list[Ends] | None:
    """The sides along ``axes``, by the compiled evaluator; ``fixed`` are the other inputs."""
    rest = []
    for name, value in fixed.items():
        side = side_of(name, value)
        check_real(name, side)
        rest.append(box_of(side, WIDE, Meaning.REAL))
    evaluator = compiled_evaluator(tape, (*axes, *fixed), WIDE, Meaning.REAL)
    return extent(tape, axes, fixed, lambda sides: evaluator.bounds([*sides, *rest]), tolerance)
