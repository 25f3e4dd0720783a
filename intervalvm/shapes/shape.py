"""``Shape``: the points where a field is below 0, as a function of the coordinates.

A shape keeps no expression but a function that makes one from three expressions for x, y and z, so
that moving it is to call that function with other coordinates.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from intervalvm.expr import Expr, as_expr, axes, maximum, minimum
from intervalvm.shown import Shown

if TYPE_CHECKING:
    from intervalvm.tape import Tape

Field = Callable[[Expr, Expr, Expr], "Expr | float"]
"""x, y and z to a value that is below 0 inside."""


class Shape(Shown):
    """A set of points. ``a | b``, ``a & b``, ``a - b`` and ``~a`` are sets too.

    Every function of the library that takes a tape takes a shape. Immutable.
    """

    def __init__(self, field: Field) -> None:
        self._field = field

    def __call__(self, x: Expr, y: Expr, z: Expr) -> Expr:
        """The field at the point (x, y, z)."""
        return as_expr(self._field(x, y, z))

    @cached_property
    def expr(self) -> Expr:
        """The field at (x, y, z) themselves."""
        return self(*axes())

    def tape(self) -> Tape:
        """The clauses of the field."""
        return self.expr.tape()

    @property
    def defaults(self) -> dict[str, float]:
        """The defaults of the free variables, as of ``Expr.defaults``."""
        return self.expr.defaults

    def bind(self, /, **values: float) -> Shape:
        """This shape with the named free variables set to numbers.

        Raises VariableError for a name that it does not have.
        """
        self.expr.bind(**values)
        return Shape(lambda *p: self(*p).bind(**values))

    def __or__(self, other: Shape) -> Shape:
        return Shape(lambda *p: minimum(self(*p), other(*p)))

    def __and__(self, other: Shape) -> Shape:
        return Shape(lambda *p: maximum(self(*p), other(*p)))

    def __sub__(self, other: Shape) -> Shape:
        return self & ~other

    def __invert__(self) -> Shape:
        return Shape(lambda *p: -self(*p))
