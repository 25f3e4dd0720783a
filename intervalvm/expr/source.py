"""An expression as readable Python, which makes the same tape again.

In: an expression. Out: lines ``name = ...`` for the parts that are used more than once or are long,
then a line that is the expression. The names are those of ``intervalvm`` and x, y, z for
``axes()``.
"""

from __future__ import annotations

import builtins
import keyword
import math
import re
from collections import Counter
from typing import TYPE_CHECKING

from intervalvm import expr as package
from intervalvm.expr.functions import NAMES
from intervalvm.expr.node import Expr, postorder
from intervalvm.ops import AXES

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_INLINE = 40
"""Characters of a part that is written where it is used. So no line grows long, or nests deep."""

SUM, PRODUCT, SIGN, POWER, ATOM = range(5)
"""How tightly a text binds; what binds less than its place asks for stands in parentheses."""
OPERATORS = {
    "add": ("+", SUM), "sub": ("-", SUM), "mul": ("*", PRODUCT), "div": ("/", PRODUCT),
    "mod": ("%", PRODUCT),
}  # fmt: skip
Text = tuple[str, int]


def python_source(root: Expr) -> str:
    """The lines of an expression, without a line feed at the end."""
    order = list(postorder(root))
    uses = Counter(id(operand) for node in order for operand in node._operands)
    name_of = _namer()
    texts: dict[int, Text] = {}
    lines: list[str] = []
    for node in order:
        operands = [texts[id(operand)] for operand in node._operands]
        written = _written(node, operands)
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
    count = 0

    def name_of(node: Expr) -> str:
        nonlocal count
        own = str(node._value) if node._op == "var" else ""
        is_word = own.isidentifier() and not keyword.iskeyword(own)
        if is_word and own not in taken and not re.fullmatch(r"t\d+", own):
            taken.add(own)
            return own
        count += 1
        return f"t{count - 1}"

    return name_of


def _written(node: Expr, operands: list[Text]) -> Text:
    op, value = node._op, node._value
    if isinstance(value, float):
        return _number(value)
    if op == "var":
        default = "" if node._default is None else f", {_number(node._default)[0]}"
        return f"var({value!r}{default})", ATOM
    if not operands:
        return op.removeprefix("var-"), ATOM
    if all(operand._op == "const" for operand in node._operands):
        if op in OPERATORS or op in ("neg", "abs"):  # Python would compute with the numbers
            operands = [(f"constant({operands[0][0]})", ATOM), *operands[1:]]
    elif op == "square":
        return f"{_within(operands[0], ATOM)}**2", POWER
    if op in OPERATORS:
        sign, binds = OPERATORS[op]
        left, right = _within(operands[0], binds), _within(operands[1], binds + 1)
        return f"{left} {sign} {right}", binds
    if op == "neg":
        return f"-{_within(operands[0], SIGN)}", SIGN
    name = op if op == "abs" else NAMES.get(op, op)
    return f"{name}({', '.join(text for text, _ in operands)})", ATOM


def _number(value: float) -> Text:
    if math.isfinite(value):
        text = repr(value)
    else:
        text = "-float('inf')" if value == -math.inf else f"float('{value!r}')"
    return text, SIGN if text.startswith("-") else ATOM


def _within(text: Text, place: int) -> str:
    return text[0] if text[1] >= place else f"({text[0]})"
