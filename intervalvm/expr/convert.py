"""What is converted to a tape or an expression: tapes, expressions, shapes, NumPy functions."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from intervalvm.arguments import brief, mapping
from intervalvm.environment import in_default_environment
from intervalvm.errors import ArgumentTypeError, Undecided
from intervalvm.expr.functions import Value, as_root, copy
from intervalvm.expr.node import OPERANDS, Expr, as_expr, axes, is_truth, var
from intervalvm.ops import AXES, ROWS
from intervalvm.tape import Tape

PACKAGE = Path(__file__).resolve().parents[1]
_x, _y, _z = axes()


class HasTape(Protocol):
    """What can be listed as a tape: an Expr, a Shape."""

    def tape(self) -> Tape: ...

    @property
    def defaults(self) -> dict[str, float]: ...


TapeLike = Tape | HasTape
"""What the public functions take for a shape."""


def as_tape(shape: object) -> Tape:
    """The tape of the argument of a public function: below 0 inside."""
    if isinstance(shape, Tape):
        return shape
    tape = None if isinstance(shape, type) else getattr(shape, "tape", None)
    if callable(tape) and not isinstance(tape, Tape):
        tape = tape()
    if isinstance(tape, Tape):
        return tape
    raise ArgumentTypeError(
        f"expected a tape or an expression, not {type(shape).__name__!r}: make a tape with "
        "load(path) or parse(text), an expression with axes()"
    )


def as_value_tape(shape: object) -> Tape:
    """The tape of the values of ``shape``: that of a truth is 1 or 0."""
    return shape.value_tape() if isinstance(shape, Expr) else as_tape(shape)


def defaults_of(shape: TapeLike) -> Mapping[str, float]:
    """The defaults of a shape's free variables; a tape has none."""
    return getattr(shape, "defaults", {})


def settings_for(shape: TapeLike, variables: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """``variables`` over the defaults of ``shape``."""
    if not isinstance(shape, Tape) and as_tape(shape).variables:
        return {**defaults_of(shape), **mapping("variables", variables)}
    return variables


@in_default_environment
def expression(shape: TapeLike, x: Value = _x, y: Value = _y, z: Value = _z) -> Expr:
    """Convert a tape or a shape to an expression, with other expressions for the coordinates.

    ``expression(load(path), x - 1, y)`` is the shape of a file moved by 1. Constants are float64:
    one so near to the middle of two float32 that its float64 is that middle may round to the other.

    Parameters
    ----------
    shape : Tape, Expr or Shape
    x, y, z : Expr or float
        By default the axes.

    Returns
    -------
    Expr
        Never a truth: it is drawn where the tape is below 0. Variables of a tape have no defaults.
    """
    tape, defaults = as_tape(shape), defaults_of(shape)
    nodes: list[Expr] = []
    coordinates = dict(zip(AXES.values(), map(as_expr, (x, y, z)), strict=True))
    for i, code in enumerate(tape.codes.tolist()):
        name = ROWS[code].name
        if name == "const":
            nodes.append(as_expr(float(tape.wide[i])))
        elif name == "var":
            variable = tape.variables[tape.left[i]]
            nodes.append(var(variable, defaults.get(variable)))
        elif name in coordinates:
            nodes.append(coordinates[name])
        else:
            nodes.append(Expr(name, tuple(nodes[operand] for operand in tape.operands(i))))
    return copy(nodes[-1]) if is_truth(nodes[-1]) else nodes[-1]


@in_default_environment
def trace(function: Callable[..., Any]) -> Tape:
    """The tape of a function of x and y, or of x, y and z, which is called once with ``axes()``.

    Parameters
    ----------
    function : callable
        It may use operators and NumPy's functions, and returns an expression or a number. It is
        called with z if it has a third argument that is required or named z.

    Returns
    -------
    Tape
        A truth is drawn where it holds, see ``Expr.tape``. A tape has no defaults of variables.

    Raises
    ------
    ArgumentTypeError
        If the function branches on a value (the message names the line), or returns anything else.
    """
    return spatial(function)(*axes()).tape()


def spatial(function: Callable[..., Any]) -> Callable[[Expr, Expr, Expr], Expr]:
    """``function`` as a function of x, y and z; raises as ``trace`` does."""
    count, name = _count(function), _name(function)

    def called(*point: Expr) -> Expr:
        try:
            value = function(*point[:count])
        except Undecided as error:
            raise ArgumentTypeError(f"{name} asks for a value{_place(error)}: {error}") from error
        if not isinstance(value, OPERANDS):
            what = "nothing" if value is None else f"a value of type {type(value).__name__!r}"
            raise ArgumentTypeError(f"{name} returned {what}: expected an expression or a number")
        return as_root(value)

    return called


def _name(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", None) or brief(function))


def _count(function: Callable[..., Any]) -> int:
    """How many of x, y and z the function takes."""
    name = _name(function)
    if not callable(function):
        raise ArgumentTypeError(f"expected a function of x, y and perhaps z, not {brief(function)}")
    if isinstance(function, np.ufunc):
        required = allowed = function.nin
    else:
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):  # some that are written in C say nothing
            raise ArgumentTypeError(
                f"what arguments {name} takes is not known: wrap it, as in lambda x, y: f(x, y)"
            ) from None
        places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        required = sum(p.default is p.empty for p in places)
        allowed = len(places[:2]) + any(p.name == "z" or p.default is p.empty for p in places[2:3])
        if any(p.kind == p.VAR_POSITIONAL for p in parameters):
            allowed = 3
        if any(p.kind == p.KEYWORD_ONLY and p.default is p.empty for p in parameters):
            required = 4
    if required > 3 or allowed < 2:
        raise ArgumentTypeError(
            f"{name} is not a function of two or three arguments, x, y and perhaps z"
        )
    return max(required, min(allowed, 3))


def _place(error: Exception) -> str:
    """The line that branched on a value: the last one outside of this package."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        with suppress(OSError):  # the working folder may be gone
            if PACKAGE in Path(frame.filename).resolve().parents:
                continue
        shown = f", {frame.line!r}" if frame.line else ""
        return f" in line {frame.lineno} of {Path(frame.filename).name}{shown}"
    return ""
