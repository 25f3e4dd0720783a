"""``trace``: a NumPy function of the coordinates to the tape of what it computes."""

from __future__ import annotations

import inspect
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from intervalvm.arguments import brief
from intervalvm.environment import in_default_environment
from intervalvm.errors import ArgumentTypeError, Undecided
from intervalvm.expr.node import OPERANDS, Expr, axes
from intervalvm.expr.truths import as_root

if TYPE_CHECKING:
    from collections.abc import Callable

    from intervalvm.tape import Tape

PACKAGE = Path(__file__).resolve().parents[1]


@in_default_environment
def trace(function: Callable[..., Any]) -> Tape:
    """The tape of ``function(x, y)`` or ``function(x, y, z)``, which is called once.

    It is called with the expressions of ``axes()``, so it may use operators and NumPy's functions
    but not look at a value: TypeError names the line that branches on one. It is given z if it
    takes three arguments, a third with a default only if that is called z. Its result is an
    expression or a number; a truth is drawn where it holds, see ``Expr.tape``. A tape keeps no
    defaults of free variables: where the function makes some, take ``function(*axes())`` for the
    expression that does.
    """
    return spatial(function)(*axes()).tape()


def spatial(function: Callable[..., Any]) -> Callable[[Expr, Expr, Expr], Expr]:
    """``function`` as one of x, y and z, of which it may ignore z; raises what ``trace`` does."""
    count = _count(function)
    return lambda *point: _called(function, *point[:count])


def _called(function: Callable[..., Any], *coordinates: Expr) -> Expr:
    """What ``function`` makes of the coordinates."""
    name = _name(function)
    try:
        value = function(*coordinates)
    except Undecided as error:
        raise ArgumentTypeError(f"{name} asks for a value{_place(error)}: {error}") from error
    if not isinstance(value, OPERANDS):
        what = "nothing" if value is None else f"a value of type {type(value).__name__!r}"
        raise ArgumentTypeError(f"{name} returned {what}: expected an expression or a number")
    return as_root(value)


def _name(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", None) or brief(function))


def _count(function: Callable[..., Any]) -> int:
    """Of x, y and z, how many the function is given."""
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
    """The line of the function's own that asked, which is the last one outside of this package."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not _is_own(frame.filename):
            shown = f", {frame.line!r}" if frame.line else ""
            return f" in line {frame.lineno} of {Path(frame.filename).name}{shown}"
    return ""


def _is_own(filename: str) -> bool:
    with suppress(OSError):  # the working folder may be gone
        return PACKAGE in Path(filename).resolve().parents
    return False
