"""What the public functions take for a shape: a Tape, or whatever lists its clauses as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from intervalvm.arguments import mapping
from intervalvm.errors import ArgumentTypeError
from intervalvm.expr.node import Expr
from intervalvm.tape import Tape

if TYPE_CHECKING:
    from collections.abc import Mapping


class HasTape(Protocol):
    """What can be listed as a tape: an Expr, a Shape."""

    def tape(self) -> Tape: ...

    @property
    def defaults(self) -> dict[str, float]: ...


TapeLike = Tape | HasTape
"""What the public functions take for a shape."""


def as_tape(shape: object) -> Tape:
    """The tape of ``shape``, of whatever a public function is given: below 0 inside."""
    if isinstance(shape, Tape):
        return shape
    list_clauses = None if isinstance(shape, type) else getattr(shape, "tape", None)
    if callable(list_clauses):
        tape = list_clauses()
        if isinstance(tape, Tape):
            return tape
    raise ArgumentTypeError(
        f"expected a tape or an expression, not {type(shape).__name__!r}: make a tape with "
        "load(path) or parse(text), an expression with axes()"
    )


def as_value_tape(shape: object) -> Tape:
    """The tape of the values of ``shape``: the same, save that an expression's truth is 1 or 0."""
    return shape.value_tape() if isinstance(shape, Expr) else as_tape(shape)


def defaults_of(shape: TapeLike) -> Mapping[str, float]:
    """The defaults of a shape's free variables: a tape has no place to keep any."""
    return getattr(shape, "defaults", {})


def settings_for(shape: TapeLike, variables: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """``variables`` over the defaults of ``shape``."""
    if not isinstance(shape, Tape) and as_tape(shape).variables:
        return {**defaults_of(shape), **mapping("variables", variables)}
    return variables
