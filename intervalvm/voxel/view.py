"""``View``: from what part of space, and from what side, a picture of a solid is taken.

In view space x points right, y up and z towards the viewer, and the shorter side of the picture
goes from -1 to 1. A view is a 4x4 matrix from there to the shape's own space, in homogeneous
coordinates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Any, Self

import numpy as np

from intervalvm.arguments import brief, is_word, parts_of, reals
from intervalvm.checks import finite, positive
from intervalvm.environment import in_default_environment
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.voxel.linear import (
    Matrix,
    inverse,
    is_singular,
    joined,
    normalised,
    tangents,
    times,
    turn,
)

AFFINE_ROW = (0.0, 0.0, 0.0, 1.0)
"""The last row of a view without perspective."""
UPS: dict[str, Matrix] = {
    "y": np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    "z": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]]),
}
"""By the axis that points up: columns that point right, up and towards the viewer in front."""
ISOMETRIC = math.degrees(math.atan(math.sqrt(0.5)))
"""The pitch at which three edges of a cube look equally long: its sine is the root of 1/3."""
PARALLEL = 1e-9
"""Directions are parallel if the sine of their angle is not above this."""
MARGIN = 0.05


@dataclass(frozen=True, eq=False, repr=False)
class View:
    """The part of space that a picture of a solid shows, and the side that it is seen from.

    Views are equal if their matrices are. Turning one compiles nothing.

    Parameters
    ----------
    matrix : array, optional
        Numbers [4, 4]: from view space, where x points right, y up and z towards the viewer, and
        the shorter side of the picture goes from -1 to 1, to the space of the shape, in homogeneous
        coordinates. By default the identity, a look from the front: x right, y up.

    Raises
    ------
    OptionError
        For another shape, for numbers that are not finite, and for a singular matrix.
    """

    matrix: Any = None

    @in_default_environment
    def __post_init__(self) -> None:
        vars(self)["matrix"] = _checked(self.matrix)

    @classmethod
    @in_default_environment
    def turntable(
        cls,
        yaw: float = 0.0,
        pitch: float = 0.0,
        roll: float = 0.0,
        *,
        center: Any = (0.0, 0.0, 0.0),
        scale: float = 1.0,
        perspective: float = 0.0,
        up: str = "y",
    ) -> Self:
        """A camera on a sphere around ``center``. Multiples of 90 degrees are exact.

        Parameters
        ----------
        yaw : float
            Degrees by which the camera goes round the vertical axis, counter-clockwise seen from
            above: it moves to the right.
        pitch : float
            Degrees by which the camera is raised, to look down.
        roll : float
            Degrees by which the camera turns about its line of sight, counter-clockwise: what is
            seen turns clockwise.
        center : (float, float, float)
            The point in the middle of the picture.
        scale : float
            Half the length of the shorter side of the picture, at the centre.
        perspective : float
            0 for parallel lines of sight; below 1. What is seen at the height z of view space is
            ``1 + perspective * z`` times as large as at the centre.
        up : {"y", "z"}
            The axis that points up. Without angles, "y" looks along -z and "z" looks along +y, both
            with x to the right.

        Raises
        ------
        OptionError, ArgumentTypeError
            For an invalid argument.
        """
        if not is_word(up, UPS):
            raise OptionError(f"up={brief(up)}: choose 'y' or 'z'")
        turned = UPS[up]
        for name, angle, axis in (("yaw", yaw, 1), ("pitch", pitch, 0), ("roll", roll, 2)):
            turned = times(turned, turn(finite(name, angle), axis))
        return cls._of(turned, _point("center", center), positive("scale", scale), perspective)

    @classmethod
    @in_default_environment
    def isometric(cls, *, center: Any = (0.0, 0.0, 0.0), scale: float = 1.0, up: str = "y") -> Self:
        """The view along the diagonal of a cube: the turntable's with a yaw of 45 degrees.

        The options are those of ``turntable``, which also raises the same errors.
        """
        return cls.turntable(45.0, ISOMETRIC, center=center, scale=scale, up=up)

    @classmethod
    @in_default_environment
    def look_at(
        cls,
        eye: Any,
        target: Any = (0.0, 0.0, 0.0),
        up: Any = (0.0, 1.0, 0.0),
        *,
        fov: float | None = None,
        scale: float | None = None,
    ) -> Self:
        """A camera at one point that looks at another.

        Parameters
        ----------
        eye : (float, float, float)
            The place of the camera. Without perspective only its direction counts.
        target : (float, float, float)
            The point in the middle of the picture.
        up : (float, float, float)
            The direction that points up in the picture.
        fov : float, optional
            The angle in degrees, below 90, between opposite sides of a square picture seen from
            ``eye``: a view in perspective.
        scale : float, optional
            Without ``fov``: half the length of the shorter side of the picture, by default 1.

        Raises
        ------
        OptionError, ArgumentTypeError
            For an invalid argument, a camera in its target, and an ``up`` along the line of sight.
        """
        at = _point("target", target)
        away = _point("eye", eye) - at
        distance = math.hypot(*away)
        if not 0 < distance < math.inf:
            raise OptionError(f"eye={brief(eye)} has no direction from target={brief(target)}")
        back, upwards = normalised(away), normalised(_point("up", up))
        right = np.cross(upwards, back)
        if math.hypot(*right) <= PARALLEL:
            raise OptionError(
                f"up={brief(up)} is no direction across the line of sight: give another one"
            )
        right = normalised(right)
        turned = np.stack([right, np.cross(back, right), back], axis=1)
        if fov is None:
            return cls._of(turned, at, positive("scale", 1.0 if scale is None else scale), 0.0)
        if scale is not None:
            raise OptionError("fov and scale: give one of them, since the eye's distance is known")
        angle = finite("fov", fov)
        if not 0 < angle < 90:
            raise OptionError(f"fov={brief(fov)}: give an angle above 0 and below 90 degrees")
        slope = math.tan(math.radians(angle) / 2)
        return cls._of(turned, at, slope * distance, slope)

    @classmethod
    @in_default_environment
    def fit(
        cls,
        box: Any,
        yaw: float = 0.0,
        pitch: float = 0.0,
        roll: float = 0.0,
        *,
        perspective: float = 0.0,
        up: str = "y",
        margin: float = MARGIN,
    ) -> Self:
        """The turntable's view of a whole box.

        Parameters
        ----------
        box : ((float, float), (float, float), (float, float))
            The ends of its sides along x, y and z.
        yaw, pitch, roll, perspective, up
            As for ``turntable``, which also raises the same errors.
        margin
            As for ``fitted``, which also raises the same errors.
        """
        try:
            x, y, z = parts_of("box", box)
        except (TypeError, ValueError):
            raise OptionError(
                f"box={brief(box)}: give three pairs, as in ((-1, 1), (-1, 1), (0, 2))"
            ) from None
        turned = cls.turntable(yaw, pitch, roll, perspective=perspective, up=up)
        return turned.fitted(x, y, z, margin=margin)

    @in_default_environment
    def fitted(self, x: Any, y: Any, z: Any, *, margin: float = MARGIN) -> Self:
        """The view of a whole box from the same side, with the same perspective.

        The box stands in the middle of a picture, and fits into a square one as deep as it is wide.

        Parameters
        ----------
        x, y, z : (float, float)
            The ends of the box's sides.
        margin : float
            The part of the box's size that is left free on each side.

        Raises
        ------
        OptionError, ArgumentTypeError
            For ends that are not finite or not in order, a box that is a point, and a margin that
            is not from 0.
        """
        sides = [_ends(name, side) for name, side in (("x", x), ("y", y), ("z", z))]
        free = finite("margin", margin)
        if free < 0:
            raise OptionError(f"margin={brief(margin)}: give a number from 0")
        center = np.array([low / 2 + high / 2 for low, high in sides])
        corners = np.array([*product(*sides)]) - center
        slopes, tilt = tangents(self.matrix), self.matrix[3, :3] / self.matrix[3, 3]
        # A view that is k times as large shows at v the point k S v / (1 + t v) from the centre.
        # So a corner c is at s / (k - t s) where S s is c: it is within 1 of the middle along each
        # axis if |s| <= k - t s.
        with np.errstate(all="ignore"):
            seen = times(corners, inverse(slopes).T)
            needed = np.abs(seen).max(axis=1) + (seen * tilt).sum(axis=1)
            size = float(needed.max()) * (1.0 + free)
            if not 0 < size < math.inf:
                raise OptionError(f"a box of {brief(sides)} cannot be seen whole: give another one")
            return type(self)(joined(slopes * size, center, tilt))

    @classmethod
    def _of(cls, turned: Matrix, center: Matrix, scale: float, perspective: float) -> Self:
        """The view whose axes are the columns of ``turned``."""
        p = finite("perspective", perspective)
        if not 0 <= p < 1:
            raise OptionError(f"perspective={brief(perspective)}: give a number from 0 to below 1")
        tilt = np.array([0.0, 0.0, p])
        with np.errstate(all="ignore"):
            return cls(joined(turned * scale, center, tilt))

    @property
    def is_affine(self) -> bool:
        """Whether lines of sight are parallel: the last row is 0, 0, 0, 1."""
        return bool((self.matrix[3] == AFFINE_ROW).all())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, View):
            return NotImplemented
        return bool((self.matrix == other.matrix).all())

    def __hash__(self) -> int:
        return hash(self.matrix.tobytes())

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.matrix.tolist(),)

    def __repr__(self) -> str:
        return f"View({self.matrix.tolist()})"

    @in_default_environment
    def __str__(self) -> str:
        slopes, unit = tangents(self.matrix), self.matrix[3, 3]
        back, up = normalised(slopes[:, 2]), normalised(slopes[:, 1])
        said = f"from {_shown(back)}, up {_shown(up)}, center {_shown(self.matrix[:3, 3] / unit)}"
        said += f", scale {math.hypot(*slopes[:, 0]):g}"
        return said if self.is_affine else f"{said}, perspective {self.matrix[3, 2] / unit:g}"


def _checked(matrix: Any) -> Matrix:
    """A matrix as a read-only array without -0. Raises as ``View`` does."""
    if matrix is None:
        matrix = np.eye(4)
    found: Matrix = reals("matrix", matrix, np.dtype(np.float64)) + 0.0
    if found.shape != (4, 4):
        raise OptionError(f"the matrix of a view is of shape {found.shape}: give 4 rows of 4")
    if not np.isfinite(found).all():
        raise OptionError(f"the matrix of a view must be finite, not {found.tolist()}")
    if not found[3, 3] > 0:
        raise OptionError(
            "the view looks from inside infinity: the last number of the last row of its matrix "
            f"must be above 0, not {found[3, 3]:g}"
        )
    if is_singular(found):
        raise OptionError(f"the view shows no volume: its matrix is singular, {found.tolist()}")
    found.flags.writeable = False
    return found


def _point(name: str, value: Any) -> Matrix:
    """Three finite numbers."""
    try:
        x, y, z = parts_of(name, value)
        return np.array([finite(name, part) for part in (x, y, z)])
    except (ArgumentTypeError, ValueError):
        raise OptionError(f"{name}={brief(value)}: give three finite numbers") from None


def _ends(name: str, side: Any) -> tuple[float, float]:
    """The ends of a side of a box."""
    try:
        low, high = (finite(name, part) for part in parts_of(name, side))
    except (ArgumentTypeError, ValueError):
        raise OptionError(f"{name}={brief(side)}: give two finite numbers") from None
    if low > high:
        raise OptionError(f"{name}={brief(side)}: give the lower end first")
    return low, high


def _shown(vector: Matrix) -> str:
    return f"({', '.join(f'{part + 0.0:.4g}' for part in vector.tolist())})"
