"""Reads test cases of interval arithmetic in ITL, the language of the ITF1788 framework.

    testcase NAME {
        OP INTERVAL [INTERVAL ...] = INTERVAL;
    }

An interval is ``[LOW, HIGH]``, ``[entire]``, ``[empty]`` or ``[nai]``, the first three perhaps with
a decoration: ``[1.0, 2.0]_com``. Numbers are decimal, hexadecimal or ``infinity``; the file is for
binary64, so a decimal one is the float64 nearest to it. Comments are those of C.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from math import inf

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
BLOCK = re.compile(r"testcase\s+([\w.]+)\s*\{(.*?)\}", re.DOTALL)
INTERVAL = re.compile(r"\[([^\]]*)\](?:_(\w+))?")
STATEMENT = re.compile(r"(\w+)((?:\s+\[[^\]]*\](?:_\w+)?)+)\s*=\s*(\[[^\]]*\](?:_\w+)?)")


@dataclass(frozen=True)
class Operand:
    """An interval; the empty one is [inf, -inf]. ``decoration`` is None or its three letters."""

    lower: float
    upper: float
    decoration: str | None = None

    @property
    def is_empty(self) -> bool:
        return self.lower > self.upper


@dataclass(frozen=True)
class Case:
    """``op`` of ``operands`` is ``expected``, as it stands in the file (``text``)."""

    op: str
    operands: tuple[Operand, ...]
    expected: Operand
    text: str


def cases(text: str, ops: Collection[str]) -> Iterator[Case]:
    """The cases of some operations, in the order of the file; others may have other operands.

    Raises ValueError for a statement of one of these that is no case.
    """
    for name, body in BLOCK.findall(COMMENT.sub(" ", text)):
        for statement in filter(None, map(str.strip, body.split(";"))):
            if statement.split()[0] not in ops:
                continue
            found = STATEMENT.fullmatch(statement)
            if not found:
                raise ValueError(f"{name}: not a case: {statement!r}")
            op, operands, expected = found.groups()
            given = tuple(_interval(*pair) for pair in INTERVAL.findall(operands))
            (result,) = (_interval(*pair) for pair in INTERVAL.findall(expected))
            yield Case(op, given, result, statement)


def _interval(text: str, decoration: str) -> Operand:
    word = text.strip().lower()
    if word == "nai":
        return Operand(inf, -inf, "ill")
    if word in ("entire", "empty"):
        lower, upper = (-inf, inf) if word == "entire" else (inf, -inf)
    else:
        lower, upper = map(_number, word.split(","))
    return Operand(lower, upper, decoration or None)


def _number(word: str) -> float:
    return float.fromhex(word) if "0x" in word else float(word)
