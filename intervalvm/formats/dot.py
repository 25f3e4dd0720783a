"""A small tape as a graph for Graphviz, with an edge from each operand to its user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intervalvm import late
from intervalvm.errors import OptionError
from intervalvm.ops import ROWS
from intervalvm.tape import constant_text

if TYPE_CHECKING:
    from intervalvm.tape import Tape

MOST_CLAUSES = 500


@late.provides
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
