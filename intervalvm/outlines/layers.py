"""The layers of an outline in files: by name, level and colour."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.arguments import brief
from intervalvm.colours import Rgb
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.outlines.svg import hexadecimal

if TYPE_CHECKING:
    from intervalvm.outlines.outline import Outline

NAME = re.compile(r"[A-Za-z0-9_$-]{1,31}")
"""What a layer may be called in all versions of DXF."""
COLOURS: tuple[Rgb, ...] = (0, 0, 0), (255, 0, 0), (0, 0, 255), (0, 255, 0), (255, 0, 255)
"""Those of layers without one, in turn: programs for lasers tell layers apart by colours."""


class Kind(NamedTuple):
    """What the curves of a layer have in common."""

    name: str | None
    level: float
    colour: Rgb | None


def check_name(name: Any) -> str:
    """Raises OptionError for what is no name in all versions of DXF."""
    if not isinstance(name, str):
        raise ArgumentTypeError(f"names: {brief(name)} is no text")
    if not NAME.fullmatch(name):
        raise OptionError(
            f"a layer cannot be called {brief(name)}: give up to 31 letters, digits and _ - $"
        )
    return name


def kinds_of(outline: Outline) -> dict[Kind, NDArray[np.intp]]:
    """The numbers of the curves of each kind: names in their order, the highest level first."""
    many = len(outline)
    if outline.colours is None and outline.names is None and not outline.levels.any():
        return {Kind(None, 0.0, None): np.arange(many)} if many else {}  # without a loop
    names, colours = outline.names or (None,) * many, outline.colours or (None,) * many
    found: dict[Kind, list[int]] = {}
    for i, parts in enumerate(zip(names, outline.levels.tolist(), colours, strict=True)):
        found.setdefault(Kind(*parts), []).append(i)
    order = list(dict.fromkeys(names))
    kinds = sorted(found, key=lambda kind: (order.index(kind.name), -kind.level))
    return {kind: np.array(found[kind]) for kind in kinds}


def layers_of(outline: Outline) -> dict[str, Outline]:
    """The outlines of each kind by the names of their layers in files."""
    kinds = kinds_of(outline)
    found = {}
    for kind, members in kinds.items():
        alike = [each for each in kinds if each.name == kind.name]
        words = [] if kind.name is None else [kind.name]
        if len({each.level for each in alike}) > 1:
            words.append(f"level-{kind.level!r}".replace(".", "_").replace("+", ""))
        if kind.colour is not None and (kind.name is None or len({e.colour for e in alike}) > 1):
            words.append("colour-" + hexadecimal(kind.colour)[1:])
        found["-".join(words) or "outline"] = outline._taken(members.tolist())
    return found


def joined(parts: Mapping[str, Outline]) -> dict[str, Any]:
    """The arguments of the outline of all curves of several, by the names of their layers."""
    if not isinstance(parts, Mapping):
        raise ArgumentTypeError(f"layers={brief(parts)}: give a dict of names and outlines")
    names, outlines = [check_name(name) for name in parts], list(parts.values())
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise OptionError(f"layers {other!r} and {name!r} are one in DXF, whatever the case")
    for name, outline in parts.items():
        if not (hasattr(outline, "curves") and hasattr(outline, "bulges")):
            raise ArgumentTypeError(f"layer {name}: {brief(outline)} is no Outline")
    bulges = None
    if any(outline.bulges is not None for outline in outlines):
        bulges = tuple(
            chain.from_iterable(
                outline.bulges or (np.zeros(len(curve) - 1) for curve in outline)
                for outline in outlines
            )
        )
    colours: list[Rgb | None] = []
    for k, outline in enumerate(outlines):
        own = COLOURS[k % len(COLOURS)]
        colours += [each or own for each in outline.colours or (None,) * len(outline)]
    tolerances = [outline.stats for outline in outlines if outline.stats is not None]
    return {
        "curves": tuple(chain.from_iterable(outline.curves for outline in outlines)),
        "bulges": bulges,
        "levels": np.concatenate([np.zeros(0), *(outline.levels for outline in outlines)]),
        "colours": tuple(colours),
        "stats": min(tolerances, key=lambda stats: stats.tolerance, default=None),
        "names": tuple(
            chain.from_iterable((n,) * len(o) for n, o in zip(names, outlines, strict=True))
        ),
    }
