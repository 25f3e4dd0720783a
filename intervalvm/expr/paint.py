"""Paints: what colour a shape shows at a point, as an expression.

The value of a paint is the code of a colour, a whole number that float32 holds: -1 for no colour,
else 1 + 0xRRGGBB. No code is 0, so ``and`` and ``or`` choose between codes, and a tape is pruned to
the choices that are open. Where values are NaN it is some code too. A paint that is the same
everywhere is an int.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.colours import Rgb
from intervalvm.expr.functions import and_, compare, maximum, minimum, or_
from intervalvm.expr.node import Expr, as_expr

Paint = Expr | int
Shows = Callable[..., Paint]
"""The point, the values of operands and their paints to the paint of the whole."""
NO_COLOUR = -1


def paint_of(shape: object) -> Expr | None:
    """The paint of a shape as an expression of the axes; None if it shows no colour."""
    paint = getattr(shape, "_paint", NO_COLOUR) if hasattr(type(shape), "_paint") else NO_COLOUR
    return None if is_bare(paint) else as_expr(paint)


def is_bare(paint: Paint) -> bool:
    """Whether no colour shows anywhere."""
    return _are_same(paint, NO_COLOUR)


def bound(paint: Paint, values: Mapping[str, float]) -> Paint:
    """A paint with the variables that it reads set to numbers."""
    if not isinstance(paint, Expr):
        return paint
    read = paint.tape().variables
    return paint.bind(**{name: value for name, value in values.items() if name in read})


def code_of(rgb: Rgb) -> int:
    """The code of a colour."""
    red, green, blue = rgb
    return 1 + (red << 16 | green << 8 | blue)


def rgb_of(
    codes: NDArray[Any], bare: Rgb, out: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """uint8[..., 3], the colours of an array of codes; ``bare`` is that of no colour."""
    numbers = codes.astype(np.int32)
    np.copyto(numbers, code_of(bare), where=numbers == NO_COLOUR)
    numbers -= 1
    colours = np.empty((*codes.shape, 3), np.uint8) if out is None else out
    for channel, shift in enumerate((16, 8, 0)):
        np.right_shift(numbers, shift, out=colours[..., channel], casting="unsafe")
    return colours


def least(_: object, keys: Sequence[Expr], paints: Sequence[Paint]) -> Paint:
    """The paint of the operand with the least key, of the first of equal ones."""
    return _least(keys, paints)[1]


def _least(keys: Sequence[Expr], paints: Sequence[Paint]) -> tuple[Expr, Paint]:
    """The least key and its paint, as a balanced tree."""
    if len(keys) == 1:
        return keys[0], paints[0]
    half = len(keys) // 2
    (a, paint), (b, other) = _least(keys[:half], paints[:half]), _least(keys[half:], paints[half:])
    if not _are_same(paint, other):
        is_second = maximum(compare(a, b), 0.0)
        paint = or_(and_(is_second, as_expr(other)), as_expr(paint))
    return minimum(a, b), paint


def _are_same(a: Paint, b: Paint) -> bool:
    return a is b or (isinstance(a, int) and isinstance(b, int) and a == b)


def first(_: object, _values: object, paints: Sequence[Paint]) -> Paint:
    """The paint of the first operand that has one."""
    return next((paint for paint in paints if not is_bare(paint)), NO_COLOUR)


def none(*_: object) -> Paint:
    """No colour, whatever the operands have."""
    return NO_COLOUR
