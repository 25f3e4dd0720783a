"""What every shape has: a field, which is a function of the coordinates, and its clauses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, Self

from intervalvm.environment import in_default_environment
from intervalvm.errors import OptionError, Undecided
from intervalvm.expr import Expr, as_expr, as_root, axes, field_of
from intervalvm.hints import METHODS, lacks, refusing
from intervalvm.late import Shown, cached_property
from intervalvm.tape import Tape

Point = tuple[Expr, Expr, Expr]
Field = Callable[[Expr, Expr, Expr], "Expr | float"]
"""x, y and z to a value that is below 0 inside, or to a truth that holds there."""
Join = Callable[[Expr, Expr], Expr]
Then = Callable[..., "Expr | float"]
"""The point and the values of the parts to the value of the whole."""
Place = Callable[..., "Iterable[Expr | float]"]
"""x, y and z to the point at which the parts are evaluated."""

MOST = 1_000_000
"""Parts of one shape: a formula of so many fields takes gigabytes."""
COPIES = (
    "repeat without a count takes one part for any number of copies, and `&` cuts them off, as in "
    "shape.repeat(0.5) & rectangle(8, 8)"
)


@refusing
class Base(Shown):
    """A field, its expression and its tape: the base of ``Placing`` and ``Shape``.

    A shape stores a function of three expressions, so moving it is a change of coordinates.
    ``Made`` is such a function of other shapes.
    """

    def __init__(self, field: Field) -> None:
        self._field = field
        self._chain: tuple[Join, tuple[Self, ...]] | None = None

    @classmethod
    def _of(cls, field: Field) -> Self:
        """The shape of a field of this package, which is called when its clauses are needed."""
        shape = cls.__new__(cls)
        Base.__init__(shape, field)
        return shape

    def __call__(self, x: Expr | float, y: Expr | float, z: Expr | float = 0.0) -> Expr:
        """The field at the point (x, y, z)."""
        return field_of(as_root(self._field(as_expr(x), as_expr(y), as_expr(z))))

    @cached_property
    @in_default_environment
    def expr(self) -> Expr:
        """The field as an expression of the axes.

        Raises OptionError if functions given to ``Shape`` exceed Python's recursion limit.
        """
        try:
            return self(*axes())
        except RecursionError:
            raise OptionError(
                "functions that were given to Shape call each other too deep: use the methods of "
                "a shape instead, which nest as deep as you like, or join with union(*parts)"
            ) from None

    def tape(self) -> Tape:
        """The tape of the field, negative inside."""
        return self.expr.tape()

    @property
    def defaults(self) -> dict[str, float]:
        """The defaults of the free variables, as of ``Expr.defaults``."""
        return self.expr.defaults

    def bind(self, /, **values: float) -> Self:
        """This shape with free variables set to numbers. Raises VariableError for another name."""
        self.expr.bind(**values)
        return self._made(lambda _, d: d.bind(**values))

    def __bool__(self) -> NoReturn:
        raise Undecided(
            "a shape is neither true nor false, it is a set of points: instead of `and`, `or`, "
            "`not`, min() and max() use `&`, `|`, `~`, union and intersection; "
            "prove(shape).verdict tells whether it is empty"
        )

    if not TYPE_CHECKING:  # mypy would accept every name

        def __getattr__(self, name):
            return lacks(self, "a shape", name, METHODS)

    def __repr__(self) -> str:
        return repr(self.tape()).replace("Tape", "Shape", 1)

    def _made(self, then: Then) -> Self:
        """A shape whose value is ``then(point, value)`` of this one's."""
        return self._of(Made((self,), then))

    def _placed(self, place: Place) -> Self:
        """A shape whose value is this one's at ``place(x, y, z)``."""
        return self._of(Made((self,), place=place))

    @classmethod
    def _joined(cls, join: Join, shapes: Sequence[Self]) -> Self:
        """The join of all as a balanced tree; operands of a chain ``a | b | c | ...`` are equal."""
        parts: list[Self] = []
        for shape in shapes:
            is_same = shape._chain is not None and shape._chain[0] is join
            parts.extend(shape._chain[1] if is_same and shape._chain else (shape,))
        made = cls._of(Made(parts, lambda _, *values: balanced(join, values)))
        made._chain = join, tuple(parts)
        return made


def balanced(join: Join, parts: Sequence[Expr]) -> Expr:
    """``join`` of all parts in their order, as a balanced tree."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return join(balanced(join, parts[:half]), balanced(join, parts[half:]))


def part_count(shape: Base) -> int:
    """How many fields the formula of a shape holds, repeated ones counted each time."""
    return shape._field.parts if isinstance(shape._field, Made) else 1


def check_count(parts: int, way_out: str = COPIES) -> None:
    """Raise OptionError for a shape that would be made of too many parts."""
    if parts > MOST:
        raise OptionError(
            f"the shape would be made of {parts:,} parts, more than {MOST:,}: {way_out}"
        )


@dataclass(frozen=True)
class Made:
    """The field ``then(point, *values)``, of the values of shapes at ``place(*point)``.

    A call keeps its own stack, so shapes nest to any depth. Raises OptionError for too many parts.
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
        open_calls: list[tuple[Made, Point, list[Expr]]] = [(self, (x, y, z), [])]
        while True:
            made, point, values = open_calls[-1]
            if len(values) < len(made.shapes):
                shape = made.shapes[len(values)]
                a, b, c = map(as_expr, made.place(*point))
                if isinstance(shape._field, Made):
                    open_calls.append((shape._field, (a, b, c), []))
                else:
                    values.append(shape(a, b, c))
                continue
            value = as_expr(made.then(point, *values))
            open_calls.pop()
            if not open_calls:
                return value
            open_calls[-1][2].append(value)
