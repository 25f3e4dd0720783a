"""Dialects of ``.vm`` text: the same value, bit for bit in float32, for another program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intervalvm.arguments import brief, is_word
from intervalvm.errors import OptionError, VariableError
from intervalvm.ops import ROWS
from intervalvm.tape import TapeBuilder, select

if TYPE_CHECKING:
    from collections.abc import Callable

    from intervalvm.tape import Tape

FIDGET = frozenset(op.names.fidget for op in ROWS if isinstance(op.names.fidget, str))
"""What Fidget's ``Context::from_text`` reads. It computes in float32, from float64 constants."""


def fidget(tape: Tape) -> str:
    """Text that Fidget reads; what stands for an operation that it lacks is in the row.

    Raises VariableError for a tape with free variables, OptionError for an operation without a
    counterpart, as ``rand``.
    """
    if tape.variables:
        first = tape.variables[0]
        raise VariableError(
            f"the dialect 'fidget' has no free variables, and the tape has {first!r}: set it, "
            f"as in save(tape.bind({first}=...), path, dialect='fidget')"
        )
    builder = TapeBuilder()
    place: list[int] = []
    for i, code in enumerate(tape.codes.tolist()):
        op = ROWS[code]
        operands = [place[operand] for operand in tape.operands(i)]
        if op.name == "const":
            place.append(_constant(builder, float(tape.wide[i]), tape.single[i]))
        elif op.names.fidget is None:
            raise OptionError(
                f"the dialect 'fidget' has no operation {op.name!r}, which clause {i} needs"
            )
        elif isinstance(op.names.fidget, str):
            place.append(builder.clause(op.names.fidget, *operands))
        else:
            place.append(op.names.fidget(builder, operands))
    whole = builder.build()
    index = np.arange(len(whole))  # the last clause may have been a copy of an earlier one
    return str(select(whole, index <= place[-1], index))


def _constant(builder: TapeBuilder, wide: float, single: np.float32) -> int:
    """A constant; its float32 if rounding its float64, as Fidget does, gives another one."""
    with np.errstate(over="ignore", under="ignore"):
        twice = np.float32(wide)
    is_same = twice == single or np.isnan(single)
    return builder.const(wide if is_same else float(single))


DIALECTS: dict[str, Callable[[Tape], str]] = {"intervalvm": str, "fidget": fidget}
"""Writers by the program that reads the text."""


def text_of(tape: Tape, dialect: str) -> str:
    """The ``.vm`` text of a tape in a dialect. Raises OptionError for an unknown one."""
    if not is_word(dialect, DIALECTS):
        raise OptionError(f"no dialect {brief(dialect)}: choose {', '.join(map(repr, DIALECTS))}")
    return DIALECTS[dialect](tape)
