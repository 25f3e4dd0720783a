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
from intervalvm.expr.node import Expr, as_expr, postorder

Paint = Expr | int
Shows = Callable[..., Paint]
"""The point, the values of operands and their paints to the paint of the whole."""
NO_COLOUR = -1
MOST_CODE = 1 << 24
TIE = 5e-324
"""The least float64: what is less by it is below 0 also where it was 0."""


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


Where = Expr | bool
"""A field below 0 where a paint shows a colour, or whether it does everywhere."""


def parts_of(paint: Paint) -> dict[int, Where]:
    """For each code that a paint may be, a field that is below 0 where it is.

    Where ``least`` chose, fields are continuous, so the border of a part can be found as that of
    any shape: the paint is one of two by the sign of a difference. Another paint has fields that
    jump from -0.5 to 0.5 or more.
    """
    root = as_expr(paint)
    paints, todo = {id(root)}, [root]
    while todo:
        chosen = _chosen(todo.pop())
        for each in chosen[:2] if chosen else ():
            if id(each) not in paints:
                paints.add(id(each))
                todo.append(each)
    nodes = list(postorder(root))
    order = [node for node in nodes if id(node) in paints]
    others = [node for node in order if not _chosen(node) and node._op != "const"]
    codes = {
        int(float(node._value or 0)): None
        for node in (nodes if others else order)
        if _is_code(node)
    }
    found = {code: _part(order, code) for code in codes}
    return {code: where for code, where in found.items() if where is not False}


def _is_code(node: Expr) -> bool:
    number = node._value
    is_whole = node._op == "const" and isinstance(number, float) and number.is_integer()
    return is_whole and (number == NO_COLOUR or 1 <= float(number or 0) <= MOST_CODE)


def _part(order: Sequence[Expr], code: int) -> Where:
    """The field of a code, from the nodes of a paint that are paints, in postorder."""
    fields: dict[int, Where] = {}
    for node in order:
        chosen = _chosen(node)
        if node._op == "const":
            fields[id(node)] = node._value == code
        elif chosen is None:
            fields[id(node)] = abs(node - code) - 0.5
        else:
            one, other, first, second = chosen
            a, b = fields[id(one)], fields[id(other)]
            fields[id(node)] = _either(_both(a, second - first), _both(b, first - second - TIE))
    return fields[id(order[-1])]


def _chosen(node: Expr) -> tuple[Expr, Expr, Expr, Expr] | None:
    """Of what ``least`` made: the paint where a > b, the other one, a and b."""
    if node._op != "or" or node._operands[0]._op != "and":
        return None
    truth, one = node._operands[0]._operands
    if truth._op != "max" or truth._operands[0]._op != "compare":
        return None
    a, b = truth._operands[0]._operands
    return one, node._operands[1], a, b


def _both(where: Where, field: Expr) -> Where:
    if isinstance(where, bool):
        return field if where else False
    return maximum(where, field)


def _either(a: Where, b: Where) -> Where:
    if a is False or b is False:
        return b if a is False else a
    if a is True or b is True:
        return True
    return minimum(a, b)


def _are_same(a: Paint, b: Paint) -> bool:
    return a is b or (isinstance(a, int) and isinstance(b, int) and a == b)


def first(_: object, _values: object, paints: Sequence[Paint]) -> Paint:
    """The paint of the first operand that has one."""
    return next((paint for paint in paints if not is_bare(paint)), NO_COLOUR)


def none(*_: object) -> Paint:
    """No colour, whatever the operands have."""
    return NO_COLOUR
