"""What a notebook shows of a tape, an expression or a shape: a picture with a caption."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from intervalvm.api.render import render
from intervalvm.expr import as_tape, settings_for

if TYPE_CHECKING:
    from intervalvm.tape import Tape

NOTEBOOK_PX = 256


def png(shape: Any) -> bytes | None:
    """A tape, an expression or a shape for a notebook: x and y from -1 to 1 where z is 0.

    Variables have their defaults; None if one has no value.
    """
    tape = as_tape(shape)
    if set(tape.variables) - set(settings_for(shape, None) or {}):
        return None
    return render(shape, size=NOTEBOOK_PX)._repr_png_()


def html(shape: Any) -> str:
    """The picture with a caption."""
    from base64 import b64encode
    from html import escape

    tape, picture = as_tape(shape), png(shape)
    said = escape(f"{type(shape).__name__}: {describe(tape)}")
    if picture is None:
        return f"<div>{said}; no picture, since not all variables have values</div>"
    data = b64encode(picture).decode()
    return f'<div><img alt="{said}" src="data:image/png;base64,{data}"><br>{said}</div>'


def describe(tape: Tape) -> str:
    """Clauses, axes and variables, as in ``3 clauses in x, y; variables r``."""
    count = f"{len(tape)} clause{'' if len(tape) == 1 else 's'}"
    axes = ", ".join(tape.axes) or "no axis"
    where_z = ", shown where z is 0" if "z" in tape.axes else ""
    free = f"; variables {', '.join(tape.variables)}" if tape.variables else ""
    return f"{count} in {axes}{where_z}{free}"
