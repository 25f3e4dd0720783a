"""``Shape``: the points where a field is below 0, their set operations, blends and offsets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.expr import Expr, absolute, add, at, is_truth, maximum, minimum, spatial, square
from intervalvm.expr.paint import Paint, Shows, first, least, none
from intervalvm.hints import hinted
from intervalvm.shapes import values as v
from intervalvm.shapes.base import Join, Made, Point, balanced
from intervalvm.shapes.placing import Placing
from intervalvm.shapes.values import Value


class Shape(Placing):
    """A set of points: ``a | b``, ``a & b``, ``a - b`` and ``~a`` are sets too. Immutable.

    Every function of the library that takes a tape takes a shape. Set operations take truths as
    well, as in ``circle(1) & (x < 0)``; the field of a truth is the sign. A pickle holds the
    expression.

    Parameters
    ----------
    field : callable or Expr
        A function of the expressions x and y, or x, y and z, or an expression of the axes: below 0
        inside, or a truth that holds inside. A function is called at once, as by
        ``intervalvm.trace``, and raises as that does.
    """

    def __init__(self, field: Callable[..., Expr | float] | Expr) -> None:
        if isinstance(field, Expr):
            super().__init__(partial(at, field))
        else:
            super().__init__(spatial(field))
            _ = self.expr  # which calls the function

    def __reduce__(self) -> tuple[Any, ...]:
        join, parts = self._chain or (None, (self,))
        return _restored, (join, [(part.expr, part._paint) for part in parts])

    def __or__(self, other: Shape | Expr) -> Shape:
        return union(self, other) if isinstance(other, (Shape, Expr)) else NotImplemented

    def __and__(self, other: Shape | Expr) -> Shape:
        return intersection(self, other) if isinstance(other, (Shape, Expr)) else NotImplemented

    def __sub__(self, other: Shape | Expr) -> Shape:
        return difference(self, other) if isinstance(other, (Shape, Expr)) else NotImplemented

    def __ror__(self, other: Expr) -> Shape:  # type: ignore[misc]
        return union(other, self) if isinstance(other, Expr) else NotImplemented

    def __rand__(self, other: Expr) -> Shape:  # type: ignore[misc]
        return intersection(other, self) if isinstance(other, Expr) else NotImplemented

    def __rsub__(self, other: Expr) -> Shape:  # type: ignore[misc]
        return difference(other, self) if isinstance(other, Expr) else NotImplemented

    def __invert__(self) -> Shape:
        return self._made(lambda _, d: -d)

    def _outside(self) -> Shape:
        """The complement as what cuts another shape, which gives no colour."""
        return self._of(Made((self,), lambda _, d: -d, shown=none))

    def offset(self, distance: Value) -> Shape:
        """The shape grown by ``distance``, or shrunk if that is negative.

        Corners become round if the field is the distance outside; those of a bound, such as a
        polygon's, stay sharp.

        Formula: field - distance. Field: the distance outside if it was and the shape grows, else a
        bound.
        """
        by = v.value("distance", distance)
        return self._made(lambda _, d: v.shifted(d, by))

    def shell(self, thickness: Value) -> Shape:
        """A layer about the boundary, half of its ``thickness`` inside.

        Formula: abs(field) - thickness/2; Inigo Quilez, "3D distance functions" (onion). Field: the
        distance outside if it was on both sides, else a bound.
        """
        half = v.positive("thickness", thickness) * 0.5
        return self._made(lambda _, d: absolute(d) - half)

    def morph(self, other: Shape, amount: Value) -> Shape:
        """The linear interpolation of two fields: this one at ``amount`` 0, the other at 1.

        Formula: the weighted mean of the fields. Field: a bound.
        """
        parts = self, *_some("morph", [other])
        share = v.not_negative("amount", amount)
        v.at_most("amount", share, "the most", 1.0)

        def weighted(a: Expr, b: Expr) -> tuple[Expr, Expr]:
            return a * (1.0 - share), b * share

        def shown(point: Point, values: Sequence[Expr], paints: Sequence[Paint]) -> Paint:
            return least(point, weighted(*values), paints)

        return self._of(Made(parts, lambda _, *values: add(*weighted(*values)), shown=shown))


def _restored(join: Join | None, fields: list[tuple[Expr, Paint]]) -> Shape:
    parts = [Shape._of_axes(*each) for each in fields]
    return parts[0] if join is None else Shape._joined(join, parts)


@hinted
def union(*shapes: Shape | Expr) -> Shape:
    """The union: ``a | b``.

    It is a balanced tree in the order of the arguments, of which a tile prunes the branches far
    from it: list neighbours next to each other.

    Formula: the minimum. Field: the distance outside where the shapes' are, a bound inside.
    """
    return Shape._joined(minimum, _some("union", shapes))


@hinted
def intersection(*shapes: Shape | Expr) -> Shape:
    """The intersection: ``a & b``.

    Formula: the maximum. Field: the distance inside where the shapes' are, a bound outside.
    """
    return Shape._joined(maximum, _some("intersection", shapes))


@hinted
def difference(shape: Shape | Expr, *others: Shape | Expr) -> Shape:
    """The points of the first shape that are in no other: ``a - b``.

    Formula: the maximum of the first and the others' negatives. Field: the distance inside where
    the shapes' are, a bound outside.
    """
    whole, *rest = _some("difference", (shape, *others))
    return Shape._joined(maximum, [whole, *(other._outside() for other in rest)])


@hinted
def smooth_union(*shapes: Shape | Expr, radius: Value) -> Shape:
    """The union, blended where two fields differ by less than ``radius``, by up to radius/4.

    More than two shapes are joined in pairs, as by ``union``.

    Formula: min(a, b) - max(radius - abs(a - b), 0)^2 / (4 radius), the quadratic polynomial of
    Inigo Quilez, "Smooth minimum". Its gradient is a mean of both gradients. Field: a bound.
    """
    return _blended(_some("smooth_union", shapes), radius, least)


def _blended(shapes: Sequence[Shape], radius: Value, shown: Shows) -> Shape:
    blend = v.positive("radius", radius)

    def join(a: Expr, b: Expr) -> Expr:
        near = maximum(blend - absolute(a - b), 0.0)
        return minimum(a, b) - square(near) / (4.0 * blend)

    return Shape._of(Made(shapes, lambda _, *values: balanced(join, values), shown=shown))


@hinted
def smooth_intersection(*shapes: Shape | Expr, radius: Value) -> Shape:
    """The intersection, blended like ``smooth_union``.

    Formula: the negative of the smooth union of the negatives. Field: a bound.
    """
    return _smooth_cut(_some("smooth_intersection", shapes), (), radius)


@hinted
def smooth_difference(shape: Shape | Expr, *others: Shape | Expr, radius: Value) -> Shape:
    """The difference, blended like ``smooth_union``.

    Formula: the smooth intersection with the others' negatives. Field: a bound.
    """
    whole, *rest = _some("smooth_difference", (shape, *others))
    return _smooth_cut([whole], rest, radius)


def _smooth_cut(shapes: Sequence[Shape], cuts: Sequence[Shape], radius: Value) -> Shape:
    """The smooth intersection of shapes and of the complements of ``cuts``."""
    parts = (*shapes, *(cut._outside() for cut in cuts))
    return ~_blended([~part for part in parts], radius, first)


def _some(name: str, shapes: Sequence[Shape | Expr]) -> list[Shape]:
    """The arguments of a function of shapes: one or more shapes or truths."""
    found: list[Shape] = []
    for shape in shapes:
        if isinstance(shape, Shape):
            found.append(shape)
        elif isinstance(shape, Expr) and is_truth(shape):
            found.append(Shape(shape))
        else:
            hint = f": write {name}(*shapes)" if isinstance(shape, (list, tuple)) else ""
            if isinstance(shape, Expr):
                hint = ": compare it, as in a < 0, or write Shape(a) if below 0 is inside"
            raise ArgumentTypeError(f"{name} takes shapes, not {type(shape).__name__!r}{hint}")
    if not found:
        raise OptionError(f"{name} of no shapes")
    return found
