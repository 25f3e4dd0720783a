"""``Expr``: an immutable record of one operation and its operands.

Common subexpressions are merged when the tape is made, not when a node is: the result depends on
the expression alone, and there is no global table of nodes to lock or to clear. An expression
caches its tape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np

from intervalvm import late
from intervalvm.arguments import brief, real
from intervalvm.environment import in_default_environment
from intervalvm.errors import ArgumentTypeError, OptionError, Undecided
from intervalvm.hints import lacks, of_expressions
from intervalvm.late import Drawable
from intervalvm.memory import no_search_for_cycles
from intervalvm.ops import AXES, OPS
from intervalvm.tape import NONE, Tape, TapeBuilder, values_to_bind

T = TypeVar("T")
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


def _by_ufunc(name: str, *, swapped: bool = False) -> Callable[..., Expr]:
    """The method of an operator that means NumPy's function ``name``."""

    def operator(self: Expr, *other: object) -> Expr:
        return _call(name, *other, self) if swapped else _call(name, self, *other)

    return operator


def _joining(name: str) -> tuple[Callable[[Expr, object], Expr], Callable[[Expr, object], Expr]]:
    """The two methods of a set operator; if the right operand is a shape, its own is used."""
    forward, backward = _by_ufunc(name), _by_ufunc(name, swapped=True)

    def left(self: Expr, other: object) -> Expr:
        is_shape = hasattr(other, "tape") and not isinstance(other, Expr)
        return NotImplemented if is_shape else forward(self, other)

    return left, backward


def _call(name: str, *operands: object) -> Expr:
    """NumPy's function ``name`` on operands, as ``expr.ufuncs`` builds it."""
    found: Expr = late.call("ufunc", name, *operands)
    return found


class Expr(Drawable):
    """A function of the coordinates: one operation on other expressions.

    ``+ - * / %``, ``abs`` and NumPy's functions build expressions; ``%`` is Euclidean. ``**`` takes
    a multiple of 1/2. A comparison is a *truth*: 1 where it holds, else 0, NaN compared as in
    NumPy; ``& | ^ ~`` combine truths. ``bool(a)`` and ``float(a)`` raise Undecided. Drawn or
    proven, an expression is the set where it is below 0, a truth the set where it holds.

    Parameters
    ----------
    op : str
        The name of an operation.
    operands : tuple of Expr
    value : float or str, optional
        The value of a constant, or the name of a variable.
    default : float, optional
        The default of a variable.
    """

    __slots__ = ("_default", "_is_truth", "_op", "_operands", "_tape", "_value", "_value_tape")

    def __init__(
        self,
        op: str,
        operands: tuple[Expr, ...] = (),
        value: float | str | None = None,
        default: float | None = None,
    ) -> None:
        self._op, self._operands, self._value, self._default = op, operands, value, default
        self._tape: Tape | None = None
        self._value_tape: Tape | None = None
        self._is_truth: bool | None = None  # not yet known

    def tape(self) -> Tape:
        """The clauses of this expression in postorder; of a truth, those of ``0.5 - truth``.

        Common subexpressions are one clause. 0.0 and -0.0 are different constants, all NaN one.
        """
        if self._tape is None:
            drawn = field_of(self)
            self._tape = self.value_tape() if drawn is self else _list_clauses(drawn)
        return self._tape

    def value_tape(self) -> Tape:
        """The clauses of this expression; the value of a truth is 1 or 0."""
        if self._value_tape is None:
            self._value_tape = _list_clauses(self)
        return self._value_tape

    @property
    def defaults(self) -> dict[str, float]:
        """The defaults of the free variables, by name. Raises OptionError if one has two."""
        found: dict[str, float] = {}
        for node in postorder(self):
            if node._op == "var" and node._default is not None:
                name, default = str(node._value), node._default
                if repr(found.setdefault(name, default)) != repr(default):
                    raise OptionError(
                        f"the variable {name!r} has two defaults, {found[name]!r} and {default!r}"
                    )
        return found

    def bind(self, /, **values: float) -> Expr:
        """With free variables set to numbers. Raises VariableError for a name that it lacks."""
        numbers = values_to_bind(self.tape().variables, values)

        def bound(node: Expr) -> Expr | None:
            is_bound = node._op == "var" and node._value in numbers
            return as_expr(numbers[str(node._value)]) if is_bound else None

        return _rebuilt(self, bound)

    def __repr__(self) -> str:
        return repr(self.tape()).replace("Tape", "Expr", 1)

    @in_default_environment
    def __str__(self) -> str:
        """Python that makes this expression, as ``formats.write`` writes it."""
        text: str = late.call("python_source", self)
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        # A flat list: pickling nodes recursively would overflow the stack.
        order = list(postorder(self))
        place = {id(node): i for i, node in enumerate(order)}
        rows = [
            (node._op, tuple(place[id(o)] for o in node._operands), node._value, node._default)
            for node in order
        ]
        return _restore, (rows,)

    def __array_ufunc__(self, function: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        return late.call("call_ufunc", function, method, inputs, options)

    def __array_function__(
        self, function: Callable[..., Any], _types: Any, args: Any, options: Any
    ) -> Any:
        return late.call("call_function", function, args, options)

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise ArgumentTypeError(
            "an expression is no array, and arrays hold no expressions: combine expressions one "
            "by one, as in minimum(a, b), and get an array of values from evaluate(a, x, y)"
        )

    if not TYPE_CHECKING:  # mypy would accept every name

        def __getattr__(self, name):
            guessed = {} if name.startswith("_") else of_expressions(late.call("ufuncs"))
            return lacks(self, "'Expr' object", name, guessed)

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
    __lt__, __le__ = _by_ufunc("less"), _by_ufunc("less_equal")
    __gt__, __ge__ = _by_ufunc("greater"), _by_ufunc("greater_equal")
    __eq__, __ne__ = _by_ufunc("equal"), _by_ufunc("not_equal")  # type: ignore[assignment]
    __and__, __rand__ = _joining("bitwise_and")
    __or__, __ror__ = _joining("bitwise_or")
    __xor__, __rxor__ = _by_ufunc("bitwise_xor"), _by_ufunc("bitwise_xor", swapped=True)
    __invert__ = _by_ufunc("invert")
    __floor__, __ceil__, __trunc__ = _by_ufunc("floor"), _by_ufunc("ceil"), _by_ufunc("trunc")
    __floordiv__ = _by_ufunc("floor_divide")
    __rfloordiv__ = _by_ufunc("floor_divide", swapped=True)
    __hash__ = object.__hash__

    def __round__(self, digits: int | None = None) -> Expr:
        if not (digits is None or (isinstance(digits, NUMBERS) and digits == 0)):
            raise ArgumentTypeError(
                "an expression is rounded to whole numbers only: scale it before"
            )
        return _call("rint", self)

    @in_default_environment
    def __pow__(self, power: object) -> Expr:
        halves = _halves(power)
        if halves is None:
            raise ArgumentTypeError(
                "the power of an expression must be a whole number or half of one, not "
                f"{brief(power)}: use exp(p * log(a))"
            )
        if halves < 0:
            return Expr("recip", (_power(self, -halves),))
        return _power(self, halves)

    def __rpow__(self, base: object) -> NoReturn:
        raise ArgumentTypeError(
            "the power of a number must be a number: use exp(a * math.log(base))"
        )

    def __bool__(self) -> NoReturn:
        raise Undecided(
            "an expression is neither true nor false, it has a value at every point: instead of "
            "`if`, `and`, `or`, `not`, a < b < c, min() and max() use where(condition, a, b), "
            "`&`, `|`, `~`, (a < b) & (b < c), minimum and maximum"
        )

    def __float__(self, *_: object) -> NoReturn:
        raise Undecided(
            "an expression is not one number, it has a value at every point: use NumPy's functions "
            "instead of those of math, and evaluate(a, x, y) for the values"
        )

    __int__ = __complex__ = __float__


def _halves(power: object) -> int | None:
    """Twice a power, if that is a whole number."""
    if not isinstance(power, NUMBERS):
        return None
    if isinstance(power, (int, np.integer)) or float(power).is_integer():
        return 2 * int(power)
    twice = 2.0 * float(power)
    return int(twice) if twice.is_integer() else None


def _power(a: Expr, halves: int) -> Expr:
    """``a`` to the power ``halves / 2``, from 0 upwards: squares, and products for odd digits."""
    base, count = (Expr("sqrt", (a,)), halves) if halves % 2 else (a, halves // 2)
    if not count:
        return constant(1.0)
    found = base
    for digit in f"{count:b}"[1:]:
        found = Expr("square", (found,))
        if digit == "1":
            found = found * base
    return found


def is_truth(a: Expr) -> bool:
    """Whether ``a`` is a truth: ``not`` of anything, or an operation that joins truths.

    The constants 0 and 1 may be operands of that; by themselves they are numbers.
    """
    stack = [a]
    while stack:  # unlike ``postorder`` it stops at the first operand that decides
        node = stack[-1]
        if node._is_truth is None:
            op, operands = OPS[node._op], node._operands
            if any(o._is_truth is False and not is_bit(o) for o in operands) or not op.joins_truths:
                node._is_truth = op.is_truth
            elif waiting := [o for o in operands if o._is_truth is None]:
                stack.append(waiting[0])
                continue
            else:
                node._is_truth = any(o._is_truth for o in operands)
        stack.pop()
    return bool(a._is_truth)


def is_bit(a: Expr) -> bool:
    """Whether ``a`` is the number 0 or 1."""
    return a._op == "const" and a._value in (0.0, 1.0)


def field_of(a: Expr) -> Expr:
    """The field that ``a`` is drawn as: itself; for a truth -1/2 where it holds, else 1/2.

    Neither is 0, so ``min``, ``max`` and ``neg`` of such fields are ``or``, ``and`` and ``not``.
    """
    return 0.5 - a if is_truth(a) else a


OPERANDS = (Expr, *NUMBERS)
"""What an operator or a function combines."""


@no_search_for_cycles()
def _list_clauses(root: Expr) -> Tape:
    """The tape of an expression, in the order of ``postorder``."""
    builder = TapeBuilder()
    append = builder.clause
    clauses: dict[tuple[object, ...], int] = {}
    place: dict[int, int] = {}
    for node in postorder(root):
        operands = node._operands
        left = place[id(operands[0])] if operands else NONE
        right = place[id(operands[1])] if len(operands) == 2 else NONE
        value = node._value
        # repr distinguishes 0.0 and -0.0
        key = (node._op, left, right) if value is None else (node._op, repr(value))
        found = clauses.get(key)
        if found is None:
            if value is None:
                found = append(node._op, left, right)
            elif isinstance(value, float):
                found = builder.const(value)
            else:
                found = builder.variable(value)
            clauses[key] = found
        place[id(node)] = found
    return builder.build()


def postorder(
    root: T, operands_of: Callable[[T], tuple[T, ...]] = attrgetter("_operands")
) -> Iterable[T]:
    """Every node under ``root`` once, depth first, operands before their user, left first.

    It keeps its own stack: an expression may be deeper than Python's.
    """
    done: dict[int, T] = {}
    stack = [root]
    while stack:
        node = stack[-1]
        if id(node) not in done:
            for operand in reversed(operands_of(node)):
                if id(operand) not in done:
                    stack.append(operand)
            if stack[-1] is not node:
                continue
            done[id(node)] = node
        stack.pop()
    return done.values()


def at(root: Expr, x: Expr, y: Expr, z: Expr) -> Expr:
    """The same expression with other expressions for the coordinates."""
    coordinates = dict(zip(AXES.values(), (x, y, z), strict=True))
    return _rebuilt(root, lambda node: coordinates.get(node._op))


def _rebuilt(root: Expr, instead: Callable[[Expr], Expr | None]) -> Expr:
    """The expression with leaves replaced: ``instead`` gives the new one, or None to keep it."""
    made: dict[int, Expr] = {}
    for node in postorder(root):
        operands = tuple(made[id(operand)] for operand in node._operands)
        found = None if operands else instead(node)
        if found is not None:
            made[id(node)] = found
        elif all(new is old for new, old in zip(operands, node._operands, strict=True)):
            made[id(node)] = node
        else:
            made[id(node)] = Expr(node._op, operands)
    return made[id(root)]


def _restore(rows: list[tuple[str, tuple[int, ...], float | str | None, float | None]]) -> Expr:
    nodes: list[Expr] = []
    for op, operands, value, default in rows:
        nodes.append(Expr(op, tuple(nodes[i] for i in operands), value, default))
    return nodes[-1]


def as_expr(value: object) -> Expr:
    """``value`` if it is an Expr, a constant if it is a number."""
    if isinstance(value, Expr):
        return value
    if isinstance(value, NUMBERS):
        return Expr("const", value=real("a constant", value))
    raise ArgumentTypeError(f"expected an expression or a number, not {type(value).__name__!r}")


def axes() -> tuple[Expr, Expr, Expr]:
    """The coordinates x, y and z."""
    x, y, z = (Expr(op) for op in AXES.values())
    return x, y, z


def var(name: str, default: float | None = None) -> Expr:
    """A free variable, set by ``variables={name: value}`` of an evaluation.

    Parameters
    ----------
    name : str
        One word without "#", other than x, y and z.
    default : float, optional
        The value if none is given.

    Returns
    -------
    Expr
    """
    if not isinstance(name, str):
        raise ArgumentTypeError(f"the name of a variable is a str, not {type(name).__name__!r}")
    if not name or not name.isprintable() or " " in name or "#" in name:
        raise OptionError(f"a variable's name is one word without '#', not {name!r}")
    if name in AXES:
        raise OptionError(f"{name!r} is a coordinate, not a free variable: use axes()")
    return Expr("var", value=name, default=None if default is None else real(name, default))


def constant(value: float) -> Expr:
    """An expression with the same value, a float64, at every point."""
    if not isinstance(value, NUMBERS):
        raise ArgumentTypeError(f"a constant is a number, not {type(value).__name__!r}")
    return as_expr(value)
