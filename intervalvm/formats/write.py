"""Writing tapes: ``.vm`` text, also for Fidget, and graphs for Graphviz."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from intervalvm.arguments import brief, is_word
from intervalvm.environment import in_default_environment
from intervalvm.errors import OptionError, VariableError
from intervalvm.expr import TapeLike, as_tape
from intervalvm.files import check_path, is_picture, write_atomically
from intervalvm.ops import ROWS
from intervalvm.tape import Tape, TapeBuilder, constant_text, select

MOST_CLAUSES = 500
"""The largest graph."""
FIDGET = frozenset(op.names.fidget for op in ROWS if isinstance(op.names.fidget, str))
"""What Fidget's ``Context::from_text`` reads. It computes in float32, from float64 constants."""


@in_default_environment
def save(tape: TapeLike, path: str | os.PathLike[str], *, dialect: str = "intervalvm") -> None:
    """Write ``str(tape)`` to a ``.vm`` file, which is replaced as a whole or left unchanged.

    Parameters
    ----------
    tape : Tape, Expr or Shape
    path : str or path-like
    dialect : {"intervalvm", "fidget"}
        With "fidget" only operations that Fidget reads are written.

    Raises
    ------
    FileError
        If the file cannot be written.
    VariableError
        If the tape has free variables and the dialect has none.
    OptionError
        If the dialect lacks an operation, or the suffix of ``path`` is that of a picture.
    """
    check_name(path)
    data = text_of(as_tape(tape), dialect).encode()
    write_atomically(path, lambda stream: stream.write(data))


def check_name(path: str | os.PathLike[str]) -> None:
    """Raise OptionError if the suffix is that of a picture: a tape is written as text."""
    name = check_path(path)
    if is_picture(name):
        raise OptionError(
            f"a tape is saved as .vm text, and {name} names a picture: give a name in .vm, or draw "
            f"it, as in intervalvm.render(...).save({name!r})"
        )


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


def to_dot(tape: Tape) -> str:
    """The graph; of two operands the left one is marked. Raises OptionError for a long tape."""
    if len(tape) > MOST_CLAUSES:
        raise OptionError(
            f"a graph of {len(tape)} clauses shows nothing: the most is {MOST_CLAUSES}; "
            "simplify(tape, x=..., y=...) gives the short tape of a small box"
        )
    lines = ["digraph tape {", "    node [shape=box, style=rounded, fontname=monospace]"]
    for i, code in enumerate(tape.codes.tolist()):
        style = ", style=solid" if ROWS[code].arity == 0 else ""
        bold = ", penwidth=2" if i == len(tape) - 1 else ""
        lines.append(f"    _{i:x} [label={_quoted(_label(tape, i))}{style}{bold}]")
    for i in range(len(tape)):
        operands = tape.operands(i)
        for side, operand in enumerate(operands):
            mark = ' [taillabel="a"]' if len(operands) == 2 and side == 0 else ""
            lines.append(f"    _{operand:x} -> _{i:x}{mark}")
    return "\n".join([*lines, "}", ""])


def _label(tape: Tape, i: int) -> str:
    """The operation, constant or input of a clause."""
    name = ROWS[int(tape.codes[i])].name
    if name == "const":
        return constant_text(float(tape.wide[i]), tape.single[i])
    return tape.variables[tape.left[i]] if name == "var" else name.removeprefix("var-")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
