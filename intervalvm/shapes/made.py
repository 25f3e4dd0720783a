"""Fields that are made of those of other shapes, in any number of steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from intervalvm.cached import cached_property
from intervalvm.errors import OptionError
from intervalvm.expr import Expr, as_expr

if TYPE_CHECKING:
    from intervalvm.shapes.base import Base

Point = tuple[Expr, Expr, Expr]
Then = Callable[..., "Expr | float"]
"""The point and the values of the parts to the value of the whole."""
Place = Callable[..., "Iterable[Expr | float]"]
"""x, y and z to the place where the parts are asked for their values."""

MOST = 1_000_000
"""Parts of one shape: a formula of so many fields takes gigabytes."""


def part_count(shape: Base) -> int:
    """Fields that a shape is made of, each as often as it is asked for its value."""
    return shape._field.parts if isinstance(shape._field, Made) else 1


COPIES = (
    "repeat without a count takes one part for any number of copies, and `&` cuts them off, as in "
    "shape.repeat(0.5) & rectangle(8, 8)"
)


def check_count(parts: int, way_out: str = COPIES) -> None:
    """Raise OptionError for a shape that would be made of too many parts."""
    if parts > MOST:
        raise OptionError(
            f"the shape would be made of {parts:,} parts, more than {MOST:,}: {way_out}"
        )


@dataclass(frozen=True)
class Made:
    """The field ``then(point, *values)``, of the values of shapes at ``place(*point)``.

    A shape in a shape in a shape is gone through in a loop, so that they nest as deep as one likes.
    Raises OptionError for too many parts.
    """

    shapes: Sequence[Base]
    then: Then = lambda _, value: value
    place: Place = lambda *point: point

    def __post_init__(self) -> None:
        check_count(self.parts)

    @cached_property
    def parts(self) -> int:
        return sum(map(part_count, self.shapes))

    def __call__(self, x: Expr, y: Expr, z: Expr) -> Expr:
        asked: list[tuple[Made, Point, list[Expr]]] = [(self, (x, y, z), [])]
        while True:
            made, point, values = asked[-1]
            if len(values) < len(made.shapes):
                shape = made.shapes[len(values)]
                a, b, c = map(as_expr, made.place(*point))
                if isinstance(shape._field, Made):
                    asked.append((shape._field, (a, b, c), []))
                else:
                    values.append(shape(a, b, c))
                continue
            value = as_expr(made.then(point, *values))
            asked.pop()
            if not asked:
                return value
            asked[-1][2].append(value)
