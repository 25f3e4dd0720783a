"""A tape as a program of 16-byte records for the compiled walk.

A record is four uint32: variant and flags, left, right, third. Operands have a *kind*:

====  =========================================================================================
k     a constant: a place in the pool
x, y  a value that depends on x alone, or on y alone: 16 values a leaf instead of 256
f     a value that depends on both
t     a truth value: a bit a point
====  =========================================================================================

Places of values and truths: 0, 1 and 2 are x, y and z, 3 + i the result of record i. A *variant* is
an operation with the kinds of its operands, for which the compiled loops have a branchless arm.
``a`` is an x-term or a y-term.

In the plane x and y are of the kinds x and y, and nothing reads z. In a volume all three are of
kind f, and so is every other value.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.ops import AXES, CODE, OPS, ROWS
from intervalvm.words import Meaning, Question

RECORD_BYTES = 16
INPUTS = len(AXES)
"""The first places are those of x, y and z."""
MIXED = ("add", "mul")
"""Operations with arms for an x-term and a y-term; others expand those first.

None has a choice, since its result could not be an alias of an operand of another kind.
"""


VARIANT_BITS = 16
VARIANT_MASK = (1 << VARIANT_BITS) - 1
"""The mask of the variant in a record's first word; above it are flags."""
(
    LEFT_PLACE, RIGHT_PLACE, THIRD_PLACE, CONSTANT_CHOICE, TO_AXIS, TO_FULL, SIGN_DEMANDED, ABSORBS,
) = (1 << bit for bit in range(VARIANT_BITS, VARIANT_BITS + 8))  # fmt: skip
"""Flags: the operand is a place and not a constant; a choice between a value and a constant; the
kind of the result, none of both for a truth; a choice whose result only needs the right sign; a sum
or difference where an operand may be absorbed, a choice too (see ``compiler.absorption``)."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One arm of a compiled loop: an operation, the kinds of its operands and of its result."""

    op: str
    kinds: str
    out: str

    def __str__(self) -> str:
        return f"{self.op} {self.kinds} {self.out}"

    @property
    def has_choice(self) -> bool:
        """Whether an interval can prove that only one operand matters."""
        return self.op in OPS and OPS[self.op].has_choice

    @property
    def may_absorb(self) -> bool:
        """Whether a float operand may be absorbed by one of the same kind as the result."""
        is_pure = not {"x", "y", "t"} & {*self.kinds, self.out}
        return is_pure and self.op in OPS and OPS[self.op].absorption is not None

    @property
    def flags(self) -> int:
        """The flags of a record, above its variant."""
        is_place = [kind != "k" for kind in self.kinds] + [False] * 3
        return (
            LEFT_PLACE * is_place[0]
            | RIGHT_PLACE * is_place[1]
            | THIRD_PLACE * is_place[2]
            | CONSTANT_CHOICE * (self.has_choice and "k" in self.kinds)
            | TO_AXIS * (self.out == "a")
            | TO_FULL * (self.out == "f")
        )


def _variants() -> tuple[Variant, ...]:
    found = [Variant("copy", "k", "f"), Variant("copy", "k", "a")]
    found += [Variant("spread", "x", "f"), Variant("spread", "y", "f")]
    for op in ROWS:
        if op.arity == 1:
            found += [Variant(op.name, "f", "f"), Variant(op.name, "a", "a")]
        elif op.arity == 2:
            found += [Variant(op.name, kinds, "f") for kinds in ("ff", "fk", "kf")]
            found += [Variant(op.name, kinds, "a") for kinds in ("aa", "ak", "ka")]
            if op.name in MIXED:
                found += [Variant(op.name, kinds, "f") for kinds in ("xy", "yx")]
    less = ("ff", "fk", "kf", "xx", "xk", "kx", "yy", "yk", "ky", "xy", "yx")
    found += [Variant("less", kinds, "t") for kinds in less]
    found += [Variant("sum_less", kinds, "t") for kinds in ("xyk", "kxy")]
    found += [Variant("or", "tt", "t"), Variant("and", "tt", "t")]
    return tuple(found)


VARIANTS = _variants()
"""All variants; a record stores the index. Operations on constants only are folded."""

OPCODE = {variant: number for number, variant in enumerate(VARIANTS)}
_BY_NAME = {(v.op, v.kinds, v.out): number for number, v in enumerate(VARIANTS)}
FIRST_WORD = {key: number | VARIANTS[number].flags for key, number in _BY_NAME.items()}


@dataclass(frozen=True)
class Program:
    """Records uint32[n, 4], the constants that they use, and the place of the result.

    The result is a value, or the truth of ``v < 0``, by ``question``. Constants are an array (m,)
    of the points' dtype, or for the real function their enclosures (m, 2). ``is_tame`` asserts that
    in the box of compilation no NaN or infinity arises.
    """

    records: NDArray[np.uint32]
    constants: NDArray[Any]
    result: int
    question: Question = Question.VALUE
    meaning: Meaning = Meaning.FLOAT
    is_tame: bool = False

    def __len__(self) -> int:
        return len(self.records)

    def __str__(self) -> str:
        lines = []
        for i, (number, *places) in enumerate(self.records.tolist()):
            variant = VARIANTS[number & VARIANT_MASK]
            words = [
                str(self.constants[place].tolist()) if kind == "k" else f"{kind}{place}"
                for kind, place in zip(variant.kinds, places, strict=False)
            ]
            lines.append(f"{variant.out}{i + INPUTS} = {variant.op} {' '.join(words)}")
        return "\n".join(lines)


K, X, Y, F = range(4)
"""The kinds of operands as numbers."""
SPREAD, COMPARE, SUM_LESS, OR_TRUTHS, AND_TRUTHS = range(len(ROWS), len(ROWS) + 5)
"""What records do besides the operations of the table, by codes that follow theirs."""
MISSING = -1
"""The first word where there is no variant."""
ARITIES = tuple(op.arity for op in ROWS)


def word_at(code: int, left: int, right: int) -> int:
    """Where ``first_words`` has the word of an operation on operands of two kinds.

    One operand is followed by ``K``; two truths are too. Of three operands two tell.
    """
    return 16 * code + 4 * left + right


@cache
def first_words() -> NDArray[np.int64]:
    """The first word of a record, at ``word_at``, or ``MISSING``."""
    found = np.full(16 * (len(ROWS) + 5), MISSING, np.int64)
    codes = CODE | {"spread": SPREAD, "less": COMPARE, "sum_less": SUM_LESS}
    of_truths, letters = (
        {"or": OR_TRUTHS, "and": AND_TRUTHS},
        {"k": K, "x": X, "y": Y, "f": F, "t": K},
    )
    for (op, kinds, out), word in FIRST_WORD.items():
        if kinds + out == "ka":
            continue  # for programs of children
        code = of_truths[op] if out == "t" and op in of_truths else codes[op]
        for axis in "xy":
            left, right = (letters[kind] for kind in (kinds + "k").replace("a", axis)[:2])
            found[word_at(code, left, right)] = word
    found.flags.writeable = False
    return found
