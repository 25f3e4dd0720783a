"""Writing: a tape as ``.vm`` text, also for Fidget, or as a graph for Graphviz; an expression as
readable Python, which makes the same tape again.
"""

from __future__ import annotations

import builtins
import itertools
import keyword
import math
import os
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from intervalvm import expr as package
from intervalvm.checks import check_word
from intervalvm.environment import in_default_environment
from intervalvm.errors import OptionError, VariableError
from intervalvm.expr import TapeLike, as_tape
from intervalvm.expr.node import Expr, postorder
from intervalvm.files import check_path, write_atomically
from intervalvm.hints import hinted
from intervalvm.ops import AXES, COMPARISONS, OPS, ROWS
from intervalvm.tape import Tape, TapeBuilder, select
from intervalvm.tape.numbers import constant_text

SUFFIX = "vm"
MOST_CLAUSES = 500
"""The largest graph."""
LONGEST_INLINE = 40
"""A subexpression of more characters gets a name, so no line grows long or nests deep."""

COMPARISON, SUM, PRODUCT, SIGN, POWER, ATOM = range(6)
"""Precedences; an operand of lower precedence is put in parentheses."""
BINDS = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "%": PRODUCT}
OPERATORS = {
    **{op.name: (op.names.operator, BINDS[op.names.operator])
       for op in ROWS if op.arity == 2 and op.names.operator is not None},
    **{sign: (sign, COMPARISON) for sign in (*COMPARISONS.values(), "==")},
}  # fmt: skip
Text = tuple[str, int]


@in_default_environment
@hinted
def save(tape: TapeLike, path: Any, *, dialect: str = "intervalvm") -> None:
    """Write ``str(tape)`` to a ``.vm`` file, which is replaced as a whole or left unchanged.

    Parameters
    ----------
    tape : Tape, Expr or Shape
        Of a painted shape the field is written: the file has no colours.
    path : str, path-like or binary stream
    dialect : {"intervalvm", "fidget"}
        With "fidget" only operations that Fidget reads are written.

    Raises
    ------
    FileError
        If the file cannot be written.
    VariableError
        If the tape has free variables and the dialect has none.
    OptionError
        If the dialect lacks an operation, or ``path`` has another suffix.
    """
    if hasattr(path, "write"):
        path.write(text_of(as_tape(tape), dialect).encode())
        return
    check_name(path)
    data = text_of(as_tape(tape), dialect).encode()
    write_atomically(path, lambda stream: stream.write(data))


def check_name(path: str | os.PathLike[str]) -> None:
    """Raise OptionError if the suffix is another one than ``.vm``: a tape is written as text."""
    name = check_path(path)
    suffix = os.path.splitext(name)[1].lower()
    if suffix not in ("", f".{SUFFIX}"):
        raise OptionError(
            f"a tape is .vm text, and {name} names another file: give a name in .vm, or draw the "
            "tape"
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
    check_word("dialect", dialect, DIALECTS)
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
        label = _label(tape, i).replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'    _{i:x} [label="{label}"{style}{bold}]')
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


def python_source(root: Expr) -> str:
    """An expression as Python, without a line feed at the end.

    Lines ``name = ...`` for the parts that are used more than once or are long, then a line that is
    the expression. The names are those of ``intervalvm`` and x, y, z for ``axes()``.
    """
    order = list(postorder(root, lambda node: _view(node)[1]))
    uses = Counter(id(operand) for node in order for operand in _view(node)[1])
    name_of = _namer()
    texts: dict[int, Text] = {}
    lines: list[str] = []
    for node in order:
        word, operands = _view(node)
        written = _written(node, word, operands, [texts[id(operand)] for operand in operands])
        is_long = len(written[0]) > LONGEST_INLINE
        is_input = not node._operands and node._op != "var"
        if node is not root and not is_input and (uses[id(node)] > 1 or is_long):
            name = name_of(node)
            lines.append(f"{name} = {written[0]}")
            written = name, ATOM
        texts[id(node)] = written
    last = f"constant({texts[id(root)][0]})" if root._op == "const" else texts[id(root)][0]
    return "\n".join([*lines, last])


def _namer() -> Callable[[Expr], str]:
    """A function that names a node: a variable by its own name if that is free, or t0, t1, ..."""
    taken = {*package.__all__, *AXES, *vars(builtins)}
    others = map("t{}".format, itertools.count())

    def name_of(node: Expr) -> str:
        own = str(node._value) if node._op == "var" else ""
        is_word = own.isidentifier() and not keyword.iskeyword(own)
        if is_word and own not in taken and not re.fullmatch(r"t\d+", own):
            taken.add(own)
            return own
        return next(others)

    return name_of


def _view(node: Expr) -> tuple[str, tuple[Expr, ...]]:
    """The word that a node is written with, and its operands.

    Comparisons and ``where`` are recognized where ``expr.ufuncs`` would build the same nodes.
    """
    if node._op == "not":
        inner = node._operands[0]
        if inner._op == "compare":
            return "==", inner._operands
        if inner._op in COMPARISONS and inner._operands[0]._op == "compare":
            sign = COMPARISONS[inner._op]
            if repr(inner._operands[-1]._value) == ("0.0" if "=" in sign else "1.0"):
                return sign, inner._operands[0]._operands
    elif node._op == "add" and all(operand._op == "and" for operand in node._operands):
        (mask, a), (other_mask, b) = (operand._operands for operand in node._operands)
        if mask._op == other_mask._op == "neg":
            is_true, is_false = mask._operands[0], other_mask._operands[0]
            condition = is_false._operands[0] if is_false._op == "not" else None
            negated = is_true._operands[0] if is_true._op == "not" else None
            if condition is not None:
                is_truth = condition._op == "not"
                if is_true is condition if is_truth else negated is is_false:
                    return "where", (condition, a, b)
    return node._op, node._operands


def _written(node: Expr, word: str, operands: tuple[Expr, ...], texts: list[Text]) -> Text:
    """A node's text, from its word and the texts of its operands."""
    if isinstance(node._value, float):
        return _number(node._value)
    if word == "var":
        default = "" if node._default is None else f", {_number(node._default)[0]}"
        return f"var({node._value!r}{default})", ATOM
    if not operands:
        return word.removeprefix("var-"), ATOM
    numbers = [operand._op == "const" for operand in operands]
    sign, binds = OPERATORS.get(word, ("", ATOM))
    # Python would fold two numbers, and swap a comparison with a number on the left
    own = OPS[word].names.operator if word in OPS else None
    is_pythons = bool(sign) or own in ("-", "abs")
    if is_pythons and (all(numbers) or (binds == COMPARISON and numbers[0])):
        texts = [(f"constant({texts[0][0]})", ATOM), *texts[1:]]
    if sign:
        left = _within(texts[0], binds + (binds == COMPARISON))
        return f"{left} {sign} {_within(texts[1], binds + 1)}", binds
    if own == "**2" and not numbers[0]:
        return f"{_within(texts[0], ATOM)}**2", POWER
    if own == "-":
        return f"-{_within(texts[0], SIGN)}", SIGN
    name = "abs" if own == "abs" else OPS[word].names.python[0] if word in OPS else word
    return f"{name}({', '.join(text for text, _ in texts)})", ATOM


def _number(value: float) -> Text:
    if math.isfinite(value):
        text = repr(value)
    else:
        text = "-float('inf')" if value == -math.inf else f"float('{value!r}')"
    return text, SIGN if text.startswith("-") else ATOM


def _within(text: Text, place: int) -> str:
    return text[0] if text[1] >= place else f"({text[0]})"
