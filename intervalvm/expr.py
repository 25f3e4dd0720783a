"""Expressions: shapes written in Python, which become tapes.

``x, y, z = axes()`` gives the coordinates; operators and the functions below combine them with each
other and with numbers into an ``Expr``; ``Expr.tape()`` lists its clauses. There is one function
for each operation that has operands, made from the table in ``ops`` and called as in NumPy.

An ``Expr`` is an immutable record of one operation and its operands, and building one does nothing
else. Equal clauses are found when the tape is made, not when a node is: what is shared then depends
on the expression alone, there is no table of all nodes to lock, to leak or to clear, and a node is
freed with its last user. An expression keeps its tape, so asking for it again costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import numpy as np

from intervalvm.errors import OptionError
from intervalvm.ops import AXES, ROWS, Op
from intervalvm.tape import Tape, TapeBuilder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

NUMBERS = (int, float, np.integer, np.floating, np.bool_)
"""What is taken for a constant."""


def _operator(op: str) -> tuple[Callable[[Expr, object], Expr], Callable[[Expr, object], Expr]]:
    """The two methods of an operator: for an expression on its left, and on its right."""

    # NotImplemented makes Python raise the TypeError, which then names the operator and both types.
    def left(self: Expr, other: object) -> Expr:
        return Expr(op, (self, as_expr(other))) if isinstance(other, OPERANDS) else NotImplemented

    def right(self: Expr, other: object) -> Expr:
        return Expr(op, (as_expr(other), self)) if isinstance(other, OPERANDS) else NotImplemented

    return left, right


class Expr:
    """A value at every point: one operation of the table on earlier expressions.

    Operators mean the operation of the table, so ``%`` is Euclidean, as ``mod``; ``**`` takes an
    integer and multiplies. An expression is an operation, not a number: comparing it, or asking
    whether it is true, raises TypeError.
    """

    __slots__ = ("_default", "_op", "_operands", "_tape", "_value")

    # NumPy scalars and arrays then leave every operator to the methods below.
    __array_ufunc__ = None

    def __init__(
        self,
        op: str,
        operands: tuple[Expr, ...] = (),
        value: float | str | None = None,
        default: float | None = None,
    ) -> None:
        """A node as it is, unchecked: ``value`` is a constant's value or a variable's name."""
        self._op, self._operands, self._value, self._default = op, operands, value, default
        self._tape: Tape | None = None

    def tape(self) -> Tape:
        """The clauses of this expression, operands first and left to right, itself last.

        Only what it needs is there, and equal operations on equal operands are one clause;
        constants are equal if their bits are, so 0.0 is not -0.0, and every NaN is the same.
        """
        if self._tape is None:
            self._tape = self._build()
        return self._tape

    def _build(self) -> Tape:
        builder = TapeBuilder()
        clauses: dict[tuple[object, ...], int] = {}
        place: dict[int, int] = {}
        for node in _postorder(self):
            operands = tuple(place[id(operand)] for operand in node._operands)
            key = (node._op, repr(node._value), operands)  # repr tells the bits of a float apart
            if key not in clauses:
                if isinstance(node._value, float):
                    clauses[key] = builder.const(node._value)
                elif isinstance(node._value, str):
                    clauses[key] = builder.variable(node._value)
                else:
                    clauses[key] = builder.clause(node._op, *operands)
            place[id(node)] = clauses[key]
        return builder.build()

    @property
    def defaults(self) -> dict[str, float]:
        """The values of the free variables that have one, by name.

        Raises OptionError if a variable was made with two different values.
        """
        found: dict[str, float] = {}
        for node in _postorder(self):
            if node._op == "var" and node._default is not None:
                name, default = str(node._value), node._default
                if repr(found.setdefault(name, default)) != repr(default):
                    raise OptionError(
                        f"the variable {name!r} has two defaults, {found[name]!r} and {default!r}"
                    )
        return found

    def __repr__(self) -> str:
        return repr(self.tape()).replace("Tape", "Expr", 1)

    def __str__(self) -> str:
        return str(self.tape())

    def __reduce__(self) -> tuple[Any, ...]:
        # Node by node a deep expression would exhaust the stack, so it travels as a flat list.
        order = list(_postorder(self))
        place = {id(node): i for i, node in enumerate(order)}
        rows = [
            (node._op, tuple(place[id(o)] for o in node._operands), node._value, node._default)
            for node in order
        ]
        return _restore, (rows,)

    def __neg__(self) -> Expr:
        return Expr("neg", (self,))

    def __pos__(self) -> Expr:
        return self

    def __abs__(self) -> Expr:
        return Expr("abs", (self,))

    __add__, __radd__ = _operator("add")
    __sub__, __rsub__ = _operator("sub")
    __mul__, __rmul__ = _operator("mul")
    __truediv__, __rtruediv__ = _operator("div")
    __mod__, __rmod__ = _operator("mod")

    def __pow__(self, power: object) -> Expr:
        if not isinstance(power, NUMBERS) or not float(power).is_integer():
            raise TypeError(
                f"the power of an expression must be a whole number, not {power!r}: "
                "use sqrt(a), or exp(p * log(a))"
            )
        count = int(power)
        if count < 0:
            return FUNCTIONS["recip"](self**-count)
        if count < 2:
            return self if count else constant(1.0)
        half = FUNCTIONS["square"](self ** (count // 2))
        return half * self if count % 2 else half

    def __rpow__(self, base: object) -> NoReturn:
        raise TypeError("the power of a number must be a number: use exp(a * math.log(base))")

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "an expression is neither true nor false, it has a value at every point: "
            "choose with minimum, maximum, compare, and_, or_"
        )

    def _unordered(self, _: object) -> NoReturn:
        raise TypeError(
            "expressions cannot be compared, they have a value at every point: use minimum, "
            "maximum or compare for the values, a.tape() == b.tape() for the clauses"
        )

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _unordered
    __hash__ = object.__hash__


OPERANDS = (Expr, *NUMBERS)
"""What an operator or a function combines."""


def _postorder(root: Expr) -> Iterator[Expr]:
    """Every node under ``root`` once, depth first, operands before their user, left first."""
    done: set[int] = set()
    stack = [root]
    while stack:
        node = stack[-1]
        if waiting := [operand for operand in node._operands if id(operand) not in done]:
            stack.extend(reversed(waiting))
            continue
        stack.pop()
        if id(node) not in done:
            done.add(id(node))
            yield node


def _restore(rows: list[tuple[str, tuple[int, ...], float | str | None, float | None]]) -> Expr:
    nodes: list[Expr] = []
    for op, operands, value, default in rows:
        nodes.append(Expr(op, tuple(nodes[i] for i in operands), value, default))
    return nodes[-1]


def as_expr(value: object) -> Expr:
    """``value`` if it is an Expr, the constant if it is a number of Python or NumPy."""
    if isinstance(value, Expr):
        return value
    if isinstance(value, NUMBERS):
        return Expr("const", value=float(value))
    raise TypeError(f"expected an expression or a number, not {type(value).__name__!r}")


class HasTape(Protocol):
    """What can be listed as a tape: an Expr, a Shape."""

    def tape(self) -> Tape: ...

    @property
    def defaults(self) -> dict[str, float]: ...


TapeLike = Tape | HasTape
"""What the public functions take for a shape."""


def as_tape(shape: object) -> Tape:
    """The tape of ``shape``: what a public function is given."""
    if isinstance(shape, Tape):
        return shape
    list_clauses = None if isinstance(shape, type) else getattr(shape, "tape", None)
    if callable(list_clauses):
        tape: Tape = list_clauses()
        return tape
    raise TypeError(
        f"expected a tape or an expression, not {type(shape).__name__!r}: make a tape with "
        "load(path) or parse(text), an expression with axes()"
    )


def settings_for(shape: TapeLike, variables: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """``variables`` over the defaults of ``shape``: a tape has no place to keep those."""
    if not isinstance(shape, Tape) and as_tape(shape).variables:
        return {**shape.defaults, **(variables or {})}
    return variables


def axes() -> tuple[Expr, Expr, Expr]:
    """The coordinates x, y and z."""
    x, y, z = (Expr(op) for op in AXES.values())
    return x, y, z


def var(name: str, default: float | None = None) -> Expr:
    """The free variable ``name``: the caller of an evaluation sets it, or ``default`` stands.

    Raises OptionError for a name that a ``.vm`` file cannot hold.
    """
    if not isinstance(name, str):
        raise TypeError(f"the name of a variable is a str, not {type(name).__name__!r}")
    if not name or not name.isprintable() or " " in name or "#" in name:
        raise OptionError(f"a variable's name is one word without '#', not {name!r}")
    if name in AXES:
        raise OptionError(f"{name!r} is a coordinate, not a free variable: use axes()")
    return Expr("var", value=name, default=None if default is None else float(default))


def constant(value: float) -> Expr:
    """The number ``value`` everywhere."""
    if not isinstance(value, NUMBERS):
        raise TypeError(f"a constant is a number, not {type(value).__name__!r}")
    return as_expr(value)


NAMES = {
    "neg": "negative", "abs": "absolute", "recip": "reciprocal", "ln": "log", "asin": "arcsin",
    "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "sub": "subtract",
    "mul": "multiply", "div": "divide", "min": "minimum", "max": "maximum",
    "and": "and_", "or": "or_", "not": "not_",
}  # fmt: skip
"""What NumPy calls an operation, or Python allows, where the table's own word is another."""


def _function(op: Op) -> Callable[..., Expr]:
    """The function that makes a clause of ``op`` from expressions and numbers."""

    def unary(a: Expr | float, /) -> Expr:
        return Expr(op.name, (as_expr(a),))

    def binary(a: Expr | float, b: Expr | float, /) -> Expr:
        return Expr(op.name, (as_expr(a), as_expr(b)))

    made: Callable[..., Expr] = unary if op.arity == 1 else binary
    made.__name__ = made.__qualname__ = NAMES.get(op.name, op.name)
    made.__doc__ = f"The operation ``{op.name}`` of the table, at every point."
    return made


FUNCTIONS: dict[str, Callable[..., Expr]] = {op.name: _function(op) for op in ROWS if op.arity}
"""A function for each operation with operands, by the operation's name."""

_f = FUNCTIONS
copy, negative, reciprocal = _f["copy"], _f["neg"], _f["recip"]
absolute = abs = _f["abs"]
square, sqrt = _f["square"], _f["sqrt"]
floor, ceil, round = _f["floor"], _f["ceil"], _f["round"]
sin, cos, tan = _f["sin"], _f["cos"], _f["tan"]
arcsin, arccos, arctan, arctan2 = _f["asin"], _f["acos"], _f["atan"], _f["atan2"]
asin, acos, atan, atan2 = arcsin, arccos, arctan, arctan2
exp, rand, mix = _f["exp"], _f["rand"], _f["mix"]
log = ln = _f["ln"]
add, subtract, multiply, divide = _f["add"], _f["sub"], _f["mul"], _f["div"]
minimum, maximum = _f["min"], _f["max"]
mod, compare = _f["mod"], _f["compare"]
and_, or_, not_ = _f["and"], _f["or"], _f["not"]
