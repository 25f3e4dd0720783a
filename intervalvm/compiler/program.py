"""A tape as a program of 16-byte records for the compiled walk.

A record is four uint32: variant and flags, left, right, third. Operands have a *kind*:

====  =========================================================================================
k     a constant: a place in the pool
x, y  a value that depends on x alone, or on y alone: 16 values a leaf instead of 256
f     a value that depends on both
t     a truth value: a bit a point
====  =========================================================================================

Places of values and truths: 0 is x, 1 is y, 2 + i the result of record i. A *variant* is an
operation with the kinds of its operands, for which the compiled loops have a branchless arm. ``a``
is an x-term or a y-term.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.ops import OPS, ROWS
from intervalvm.words import Meaning, Question

RECORD_BYTES = 16
INPUTS = 2
"""Places 0 and 1 are x and y."""
MIXED = ("add", "mul")
"""Operations with arms for an x-term and a y-term; others expand those first.

None has a choice, since its result could not be an alias of an operand of another kind.
"""


VARIANT_BITS = 16
VARIANT_MASK = (1 << VARIANT_BITS) - 1
"""The mask of the variant in a record's first word; above it are flags."""
LEFT_PLACE, RIGHT_PLACE, THIRD_PLACE, CONSTANT_CHOICE, TO_AXIS, TO_FULL, SIGN_DEMANDED = (
    1 << bit for bit in range(VARIANT_BITS, VARIANT_BITS + 7)
)
"""Flags: the operand is a place and not a constant; a choice between a value and a constant; the
kind of the result, none of both for a truth; a choice whose result only needs the right sign."""


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
LESS_KINDS = frozenset(v.kinds for v in VARIANTS if v.op == "less")


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


Operand = tuple[str, int]
"""A kind and a place."""
Number = float | tuple[float, float]
"""A constant, or two floats around it."""


class Assembler:
    """Collects records; each method returns the (kind, place) of its result.

    ``zero`` is a constant of the evaluator's kind, for a pool without others.
    """

    def __init__(self, dtype: np.dtype[Any], *, axes: bool = True, zero: Number = 0.0) -> None:
        self.dtype, self._zero = dtype, zero
        self._words: list[int] = []
        self._pool: list[Number] = []
        self._pool_places: dict[str, int] = {}
        self._spreads: dict[Operand, Operand] = {}
        self._negatives: dict[Operand, Operand] = {}
        inputs: list[Operand] = [("x", 0), ("y", 1)]
        self.x, self.y = inputs if axes else map(self.spread, inputs)

    def number(self, value: Number) -> Operand:
        """A constant of the pool, given as floats that the dtype holds exactly."""
        key = repr(value)  # both zeros are equal, and no NaN is
        place = self._pool_places.setdefault(key, len(self._pool))
        if place == len(self._pool):
            self._pool.append(value)
        return "k", place

    def _add(
        self, op: str, kinds: str, places: tuple[int, ...], out: str, third: int = 0
    ) -> Operand:
        left, right, last = places if len(places) == 3 else (*(*places, 0)[:2], third)
        self._words += (FIRST_WORD[op, kinds, out], left, right, last)
        return out, len(self._words) // 4 - 1 + INPUTS

    def spread(self, a: Operand) -> Operand:
        """An axis term as a value of kind f."""
        if a not in self._spreads:
            self._spreads[a] = self._add("spread", a[0], (a[1],), "f")
        return self._spreads[a]

    def value(self, op: str, *operands: Operand) -> Operand:
        """The record of an operation, after expansions of its operands."""
        kinds = "".join(kind for kind, _ in operands)
        axes = set(kinds) - {"k"}
        if axes == {"x"} or axes == {"y"}:
            out = axes.pop()
            generic = kinds.replace(out, "a")
            _, place = self._add(
                op, generic, tuple(p for _, p in operands), "a", third=int(out == "y")
            )
            return out, place
        if axes == {"x", "y"}:
            if op == "sub":  # a - b is a + -b, bit for bit
                return self.value("add", operands[0], self.negative(operands[1]))
            if op not in MIXED:
                return self.value(op, *map(self.spread, operands))
        elif axes != {"f"}:
            operands = tuple(o if o[0] in "kf" else self.spread(o) for o in operands)
            kinds = "".join(kind for kind, _ in operands)
        return self._add(op, kinds, tuple(place for _, place in operands), "f")

    def negative(self, a: Operand) -> Operand:
        if a not in self._negatives:
            self._negatives[a] = self.value("neg", a)
        return self._negatives[a]

    def less(self, a: Operand, b: Operand) -> Operand:
        """The truth of ``a < b``."""
        if a[0] + b[0] not in LESS_KINDS:
            a = self.full(a) if a[0] + b[0] == "kk" else a
            a, b = (o if o[0] in "kf" else self.spread(o) for o in (a, b))
        return self._add("less", a[0] + b[0], (a[1], b[1]), "t")

    def sum_less(self, x: Operand, y: Operand, t: Operand, *, greater: bool) -> Operand:
        """The truth of ``x + y < t``, or of ``t < x + y``, for an x-term and a y-term."""
        if greater:
            return self._add("sum_less", "kxy", (t[1], x[1], y[1]), "t")
        return self._add("sum_less", "xyk", (x[1], y[1], t[1]), "t")

    def combine(self, op: str, a: Operand, b: Operand) -> Operand:
        """The truth of ``a or b``, or of ``a and b``."""
        return self._add(op, "tt", (a[1], b[1]), "t")

    def full(self, a: Operand) -> Operand:
        """Any operand as a value of kind f that a record has written."""
        if a[0] == "k":
            return self._add("copy", "k", (a[1],), "f")
        return self.spread(a) if a[0] in "xy" else a

    def program(self, result: Operand) -> Program:
        """The records so far, with the place of their result."""
        records = np.array(self._words, np.uint32).reshape(-1, 4)
        question = Question.SIGN if result[0] == "t" else Question.VALUE
        return Program(
            records, np.array(self._pool or [self._zero], self.dtype), result[1], question
        )
