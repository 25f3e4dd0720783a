"""What a page asks for: messages as JSON text, checked field by field, as frozen objects.

    view  {"type": "view", "id": 7, "size": [800, 600], "moving": false,
           "plane": {"center": ["0", "-0.25"], "scale": "1"}, "show": "bitmap", "overlay": "none",
           "isolines": null, "variables": {"r": 0.5}}
          of a solid, in place of "plane": "solid": {"yaw": 30, "pitch": 20, "roll": 0,
           "center": [0, 0, 0], "scale": 1, "perspective": 0, "mode": "shaded"}
    why   {"type": "why", "id": 8, "view": {...}, "at": [column, row]}
    save  {"type": "save", "id": 9, "view": {...}, "format": "png"}
    stop  {"type": "stop"}, which ends a save

A view says all that its picture depends on, but the shape. ``size`` is in pixels of the screen,
``paper`` the colour beside a painted shape, by default "white".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, NoReturn, get_args

from intervalvm.arguments import brief
from intervalvm.checks import check_word, integer_within, listed
from intervalvm.colours import Rgb, colour
from intervalvm.errors import OptionError
from intervalvm.viewer.frame import Frame, decimal
from intervalvm.voxel.view import View as Look
from intervalvm.words import SolidMode

Show = Literal["bitmap", "value", "proven"]
FileKind = Literal["png", "svg", "stl"]
SHOWS, FILE_KINDS, MODES = map(get_args, (Show, FileKind, SolidMode))
WITH_TILES = {"none": False, "tiles": True, "clauses": True}
"""By overlay, whether it needs the tiles of the picture."""
MOST_BYTES = 1 << 14
"""Of a message."""
MOST_PX = 4096
"""Pixels a side."""
MOST_ID = 1 << 53
MOST_VARIABLES = 256
MOST_NUMBER = 1e300
LEAST_STEP = 1e-300
"""From one iso-line to the next."""


@dataclass(frozen=True)
class Solid:
    """The look at a solid, and what its pixels show."""

    look: Look
    mode: SolidMode
    around: Frame
    """A part of a plane with pixels as large, as far from the middle of space."""


@dataclass(frozen=True)
class View:
    """A picture that a page wants to show; ``moving`` if another will follow soon."""

    id: int
    size: tuple[int, int]
    moving: bool
    what: Frame | Solid
    show: Show
    with_tiles: bool
    isolines: float | None
    paper: Rgb
    variables: Mapping[str, float]

    @property
    def frame(self) -> Frame:
        """Where its pixels are in floats."""
        return self.what.around if isinstance(self.what, Solid) else self.what


@dataclass(frozen=True)
class Why:
    """The question why a pixel, (column, row) of a view, is as it is."""

    id: int
    view: View
    at: tuple[int, int]


@dataclass(frozen=True)
class Save:
    """A file of what a view shows."""

    id: int
    view: View
    format: FileKind


@dataclass(frozen=True)
class Stop:
    """Ends a save."""


Request = View | Why | Save | Stop


def parse(text: str) -> Request:
    """The request of a message. Raises OptionError or ArgumentTypeError for what is none."""
    if len(text) > MOST_BYTES or len(text.encode(errors="replace")) > MOST_BYTES:
        raise OptionError(f"a message of more than {MOST_BYTES} bytes")
    try:
        fields = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise OptionError("the message is no JSON") from None
    match _fields("the message", fields).get("type"):
        case "view":
            return _view(fields, id=_id(fields))
        case "why":
            id, view = _id(fields), _view(fields.get("view"))
            column, row = _list(fields, "at", 2)
            at = zip((column, row), view.size, strict=True)
            column, row = (integer_within("at", n, 0, side - 1) for n, side in at)
            return Why(id, view, (column, row))
        case "save":
            id, view = _id(fields), _view(fields.get("view"))
            return Save(id, view, _word(fields, "format", FILE_KINDS))
        case "stop":
            return Stop()
        case other:
            raise OptionError(f"type={brief(other)}: choose 'view', 'why', 'save' or 'stop'")


def id_of(text: str) -> int | None:
    """The id of a message that may be no request, for the answer that says so."""
    try:
        return _id(_fields("the message", json.loads(text[:MOST_BYTES])))
    except (ValueError, RecursionError):
        return None


def _id(fields: Mapping[str, Any]) -> int:
    return integer_within("id", fields.get("id"), 0, MOST_ID)


def _view(view: Any, id: int = 0) -> View:
    fields = _fields("view", view)
    width, height = (integer_within("size", n, 1, MOST_PX) for n in _list(fields, "size", 2))
    isolines = fields.get("isolines")
    return View(
        id=id,
        size=(width, height),
        moving=_flag(fields, "moving"),
        what=_solid(fields["solid"]) if "solid" in fields else _plane(fields.get("plane")),
        show=_word(fields, "show", SHOWS),
        with_tiles=WITH_TILES[_word(fields, "overlay", tuple(WITH_TILES))],
        isolines=None if isolines is None else _number("isolines", isolines, least=LEAST_STEP),
        paper=colour(fields.get("paper", "white"), "paper"),
        variables=_variables(fields.get("variables")),
    )


def _plane(plane: Any) -> Frame:
    fields = _fields("plane", plane)
    x, y = (decimal("center", part) for part in _list(fields, "center", 2))
    scale = decimal("scale", fields.get("scale"))
    if scale <= 0:
        raise OptionError(f"scale={brief(fields['scale'])}: give half the shorter side, above 0")
    return Frame((x, y), scale)


def _solid(solid: Any) -> Solid:
    fields = _fields("solid", solid)
    angles = [_number(name, fields.get(name)) for name in ("yaw", "pitch", "roll")]
    center = [_number("center", part) for part in _list(fields, "center", 3)]
    scale, perspective = (_number(name, fields.get(name)) for name in ("scale", "perspective"))
    look = Look.turntable(*angles, center=center, scale=scale, perspective=perspective)
    farthest = max(map(abs, center)) + scale
    around = Frame((Fraction(farthest), Fraction(0)), Fraction(scale))
    return Solid(look, _word(fields, "mode", MODES), around)


def _variables(variables: Any) -> dict[str, float]:
    found = _fields("variables", {} if variables is None else variables)
    if len(found) > MOST_VARIABLES:
        raise OptionError(f"{len(found)} variables are too many: the most is {MOST_VARIABLES}")
    return {name: _number(name, value) for name, value in found.items()}


def _fields(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise OptionError(f"{name} is {brief(value)}: give an object")
    return value


def _list(fields: Mapping[str, Any], name: str, length: int) -> Sequence[Any]:
    value = fields.get(name)
    if not isinstance(value, list) or len(value) != length:
        raise OptionError(f"{name}={brief(value)}: give a list of {length}")
    return value


def _word(fields: Mapping[str, Any], name: str, words: tuple[Any, ...]) -> Any:
    """One of some words, by default the first."""
    value = fields.get(name, words[0])
    check_word(name, value, words)
    return value


def _flag(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise OptionError(f"{name}={brief(value)}: choose {listed(('true', 'false'))}")
    return value


def _number(name: str, value: Any, *, least: float = -MOST_NUMBER) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not least <= value <= MOST_NUMBER or math.isnan(value):
        raise OptionError(f"{name}={brief(value)}: give a number from {least:g} to {MOST_NUMBER:g}")
    return float(value)


def _refuse(constant: str) -> NoReturn:
    """Python's JSON reads NaN and Infinity."""
    raise ValueError(constant)
