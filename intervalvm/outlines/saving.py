"""The files of outlines: their suffixes, writers and options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from intervalvm.arguments import brief
from intervalvm.checks import check_word
from intervalvm.errors import OptionError
from intervalvm.files import check_path, write_atomically
from intervalvm.outlines.dxf import dxf
from intervalvm.outlines.geojson import geojson
from intervalvm.outlines.svg import svg
from intervalvm.suffixes import format_of, format_of_stream, pour
from intervalvm.units import MM

if TYPE_CHECKING:
    from intervalvm.outlines.outline import Outline


class Format(NamedTuple):
    """A function that makes the bytes of a file, its options, and whether it can be without
    curves."""

    make: Callable[..., bytes]
    options: tuple[str, ...]
    may_be_empty: bool = False


def _svg(outline: Outline, **options: Any) -> bytes:
    return svg(outline, **options).encode("ascii")


def _geojson(outline: Outline, *, unit: Any) -> bytes:
    check_word("unit", unit, MM)
    return geojson(outline)


FORMATS = {
    "svg": Format(_svg, ("fill", "stroke", "stroke_width")),
    "dxf": Format(dxf, ("version",)),
    "geojson": Format(_geojson, (), may_be_empty=True),
}
"""The suffixes that an outline can be saved under."""


def save(
    outline: Outline, path: Any, format: str | None, unit: Any, options: Mapping[str, Any]
) -> None:
    """Write a file, see ``Outline.save``; options that are None have their defaults."""
    if hasattr(path, "write"):
        data = _made(outline, format_of_stream(path, format, FORMATS), unit, options)
        pour(path, partial(_write, data))
        return
    name = check_path(path)
    data = _made(outline, format_of(name, format, FORMATS), unit, options)
    write_atomically(name, partial(_write, data))


def _write(data: bytes, stream: BinaryIO) -> None:
    stream.write(data)


def _made(outline: Outline, format: str, unit: Any, options: Mapping[str, Any]) -> bytes:
    kind = FORMATS[format]
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in given.items():
        if name not in kind.options:
            others = [f".{each}" for each, other in FORMATS.items() if name in other.options]
            raise OptionError(f"{name}={brief(value)} is for {', '.join(others)}, not .{format}")
    if not len(outline) and not kind.may_be_empty:
        raise OptionError(
            f"the outline has no curves, and a .{format} of nothing is of no use: look at the "
            "shape's bounds, at the region, and, for a solid, at z, where it is cut"
        )
    return kind.make(outline, unit=unit, **given)
