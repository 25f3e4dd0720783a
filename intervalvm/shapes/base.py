"""What every shape has: a field, which is a function of the coordinates, and its clauses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NoReturn, Self, TypeVar

from intervalvm import colours
from intervalvm.environment import in_default_environment
from intervalvm.errors import OptionError, Undecided
from intervalvm.expr import Expr, as_expr, as_root, at, axes, field_of, minimum
from intervalvm.expr.paint import NO_COLOUR, Paint, Shows, bound, code_of, first, is_bare, least
from intervalvm.hints import METHODS, lacks, refusing
from intervalvm.late import Drawable, cached_property
from intervalvm.tape import Tape

T = TypeVar("T")
Point = tuple[Expr, Expr, Expr]
Field = Callable[[Expr, Expr, Expr], "Expr | float"]
"""x, y and z to a value that is below 0 inside, or to a truth that holds there."""
Join = Callable[[Expr, Expr], Expr]
Then = Callable[..., "Expr | float"]
"""The point and the values of the parts to the value of the whole."""
Place = Callable[..., "Iterable[Expr | float]"]
"""x, y and z to the point at which the parts are evaluated."""
Operands = Sequence[tuple[Expr, Paint]]

MOST = 1_000_000
"""Parts of one shape: a formula of so many fields takes gigabytes."""
COPIES = (
    "repeat without a count takes one part for any number of copies, and `&` cuts them off, as in "
    "shape.repeat(0.5) & rectangle(8, 8)"
)


@refusing
class Base(Drawable):
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

    @cached_property
    @in_default_environment
    def _paint(self) -> Paint:
        """What colour shows, of the axes: see ``expr.paint``."""
        made = self._field
        return made.paint(*axes()) if isinstance(made, Made) and made.is_painted else NO_COLOUR

    def tape(self) -> Tape:
        """The tape of the field, negative inside."""
        return self.expr.tape()

    @property
    def defaults(self) -> dict[str, float]:
        """The defaults of the free variables, as of ``Expr.defaults``."""
        return self.expr.defaults

    def bind(self, /, **values: float) -> Self:
        """This shape with free variables set to numbers. Raises VariableError for another name."""
        return self._of_axes(self.expr.bind(**values), bound(self._paint, values))

    def paint(self, colour: colours.Colour) -> Self:
        """The same shape in a colour, which replaces all that its parts had. Field: kept.

        A union shows at each point the colour of its part that is nearest, that of the least value.
        An intersection shows the first of its parts that has a colour, a difference what it is cut
        from: the shape that cuts gives no colour. ``morph`` and ``loft`` show the operand whose
        term of the value is the least, so each end shows its own. Other operations carry colours
        along.

        Parameters
        ----------
        colour : str or (int, int, int)
            "#c84", "#cc8844", a name of CSS such as "teal", or red, green and blue from 0 to 255.
        """
        return self._painted(code_of(colours.colour(colour)))

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

    def _painted(self, paint: Paint) -> Self:
        """The same shape with a paint in place of its own, and of those of a chain's operands."""
        if self._chain is not None:
            join, parts = self._chain
            return self._joined(join, [part._painted(paint) for part in parts])

        made = self._field
        below = made.shapes if isinstance(made, Made) and made.coat is not None else (self,)
        return self._of(Made(below, coat=paint))

    @classmethod
    def _of_axes(cls, field: Expr, paint: Paint) -> Self:
        """The shape of a field and a paint that are expressions of the axes."""
        shape = cls._of(partial(at, field))
        return shape if is_bare(paint) else shape._painted(paint)

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
        shown = least if join is minimum else first
        made = cls._of(Made(parts, lambda _, *values: balanced(join, values), shown=shown))
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


def is_painted(shape: Base) -> bool:
    """Whether a part of a shape was given a colour."""
    return isinstance(shape._field, Made) and shape._field.is_painted


def check_count(parts: int, way_out: str = COPIES) -> None:
    """Raise OptionError for a shape that would be made of too many parts."""
    if parts > MOST:
        raise OptionError(
            f"the shape would be made of {parts:,} parts, more than {MOST:,}: {way_out}"
        )


@dataclass(frozen=True)
class Made:
    """The field ``then(point, *values)``, of the values of shapes at ``place(*point)``.

    Of their paints it shows ``shown(point, values, paints)``.

    A call keeps its own stack, so shapes nest to any depth. Raises OptionError for too many parts.
    """

    shapes: Sequence[Base]
    then: Then = lambda _, value: value
    place: Place = lambda *point: point
    shown: Shows = least
    coat: Paint | None = None
    """What shows instead, if given, at the point."""

    def __post_init__(self) -> None:
        check_count(self.parts)
        _ = self.is_painted  # not later, when the shapes would have to ask theirs

    @cached_property
    def parts(self) -> int:
        return sum(map(part_count, self.shapes))

    @cached_property
    def is_painted(self) -> bool:
        """Whether it or a part of it was given a colour."""
        return self.coat is not None or any(map(is_painted, self.shapes))

    def __call__(self, x: Expr, y: Expr, z: Expr) -> Expr:
        """The value at a point."""
        return self._at((x, y, z), lambda shape, point: shape(*point), Made._value)

    def paint(self, x: Expr, y: Expr, z: Expr) -> Paint:
        """What colour shows at a point."""

        def of_leaf(shape: Base, point: Point) -> tuple[Expr, Paint]:
            return shape(*point), NO_COLOUR

        def of_made(made: Made, point: Point, parts: Operands) -> tuple[Expr, Paint]:
            values, paints = [value for value, _ in parts], [paint for _, paint in parts]
            shown = made.coat
            if shown is None:
                shown = made.shown(point, values, paints)
            elif isinstance(shown, Expr):
                shown = at(shown, *point)
            return made._value(point, values), shown

        return self._at((x, y, z), of_leaf, of_made)[1]

    def _value(self, point: Point, values: Sequence[Expr]) -> Expr:
        return as_expr(self.then(point, *values))

    def _at(
        self,
        point: Point,
        of_leaf: Callable[[Base, Point], T],
        of_made: Callable[[Made, Point, Sequence[T]], T],
    ) -> T:
        """What ``of_made`` makes of the results for the shapes, each at its own point."""
        open_calls: list[tuple[Made, Point, list[T]]] = [(self, point, [])]
        while True:
            made, point, found = open_calls[-1]
            if len(found) < len(made.shapes):
                shape = made.shapes[len(found)]
                x, y, z = map(as_expr, made.place(*point))
                if isinstance(shape._field, Made):
                    open_calls.append((shape._field, (x, y, z), []))
                else:
                    found.append(of_leaf(shape, (x, y, z)))
                continue
            result = of_made(made, point, found)
            open_calls.pop()
            if not open_calls:
                return result
            open_calls[-1][2].append(result)
