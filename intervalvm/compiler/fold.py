"""Fold constants, use identities, merge common subexpressions, remove dead clauses.

The meaning of the evaluator is kept: every bit of the float program, unless ``fast`` enables
identities of real numbers; values and domain of the real function. Constants are the evaluator's,
so the result is valid for it only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from intervalvm.compiler.identities import NUMBER_KINDS, Term, rewrites_for
from intervalvm.evaluate.evaluators import Evaluator
from intervalvm.ops import AXES, CODE, ROWS
from intervalvm.tape import NONE, Tape, TapeBuilder, select
from intervalvm.tape.liveness import needed
from intervalvm.words import Meaning

CONST, NOT, AND, OR = (CODE[name] for name in ("const", "not", "and", "or"))
DEEPEST_TRUTH = 8
"""The depth of the search through ``and`` and ``or`` for truths."""


KEEPS: dict[Meaning, str] = {Meaning.FLOAT: "exact", Meaning.REAL: "defined"}
"""The identities that keep a meaning, see ``identities.REWRITES``."""


def fold(
    tape: Tape,
    evaluator: Evaluator,
    settings: dict[str, Any] | None = None,
    *,
    fast: bool = False,
) -> Tape:
    """A tape of the same meaning, shortened by these rules.

    ``settings`` maps inputs ("var-z", or the name of a free variable) to constants. ``fast`` also
    uses ``identities.FAST``, which change bits as stated there. An operation on constants is kept
    if the evaluator has no result.
    """
    given = settings or {}
    # all that stay free stay declared, in their order
    free = tuple(name for name in tape.variables if name not in given)
    folder = _Folder(evaluator, given, free, "fast" if fast else KEEPS[evaluator.meaning])
    constants = tape.constants(evaluator.constant_type)
    arity = [op.arity for op in ROWS]
    place: list[int] = []
    with np.errstate(all="ignore"):
        rows = zip(tape.codes.tolist(), tape.left.tolist(), tape.right.tolist(), strict=True)
        for i, (code, left, right) in enumerate(rows):
            n = arity[code]
            if n == 2:
                place.append(folder.clause(code, place[left], place[right]))
            elif n == 1:
                place.append(folder.clause(code, place[left]))
            elif ROWS[code].name == "const":
                place.append(folder.const(constants[i]))
            else:
                is_free = ROWS[code].name == "var"
                place.append(folder.read(tape.variables[left] if is_free else ROWS[code].name))
    whole = folder.builder.build()
    return select(whole, needed(whole, place[-1:]), np.arange(len(whole)))


class _Folder:
    """The clauses so far, without duplicates."""

    def __init__(
        self, evaluator: Evaluator, given: dict[str, Any], free: tuple[str, ...], keep: str
    ) -> None:
        self.evaluator, self.given, self.keep = evaluator, given, keep
        self.builder = TapeBuilder(free)
        self.codes, self.left, self.right = (
            self.builder.codes, self.builder.left, self.builder.right,
        )  # fmt: skip
        self.memo: dict[tuple[int, int, int], int] = {}
        self.inputs: dict[str, int] = {}
        self.numbers: dict[bytes, int] = {}
        self.constant: dict[int, Any] = {}
        self.number_kind: dict[int, int] = {}

    def const(self, value: Any) -> int:
        """The clause of a number."""
        value = self.evaluator.constant(value)
        key = value.tobytes()
        found = self.numbers.get(key)
        if found is None:
            found = self.numbers[key] = self.builder.const(float(value), np.float32(value))
            self.constant[found] = value
            self.number_kind[found] = NUMBER_KINDS.get(repr(float(value)), CONST)
        return found

    def read(self, name: str) -> int:
        """The clause of an input, or of its value."""
        if name in self.given:
            return self.const(self.given[name])
        if name not in self.inputs:
            is_axis = name in AXES.values()
            make = self.builder.clause if is_axis else self.builder.variable
            self.inputs[name] = make(name)
        return self.inputs[name]

    def clause(self, code: int, a: int, b: int = NONE) -> int:
        """The clause of an operation on clauses: a known one, a simpler one, or a new one."""
        key = (code, b, a) if b < a and ROWS[code].commutes else (code, a, b)
        found = self.memo.get(key)
        if found is None:
            found = self.memo[key] = self._simplified(code, a, b)
        return found

    def _simplified(self, code: int, a: int, b: int) -> int:
        constant = self.constant
        if a in constant and (b == NONE or b in constant):
            known = (constant[i] for i in (a, b) if i != NONE)
            value = self.evaluator.result(ROWS[code].name, *known)
            if value is not None:
                return self.const(value)
        codes, left, right, kind = self.codes, self.left, self.right, self.number_kind
        if b == NONE:
            rewrites = rewrites_for(code, codes[a], NONE, False, self.keep)
        else:
            related = a in (b, left[b], right[b]) or b in (left[a], right[a])
            kinds = kind.get(a, codes[a]), kind.get(b, codes[b])
            rewrites = rewrites_for(code, *kinds, related, self.keep)
        for pattern, result, holds in rewrites:
            found: dict[str, int] = {}
            operands = zip(pattern[1:], (a, b), strict=False)
            if not all(self._fits(part, i, found) for part, i in operands):
                continue
            if holds(**{letter: constant[i] for letter, i in found.items() if letter in "kl"}):
                return self._build(result, found)
        codes.append(code)
        left.append(a)
        right.append(b)
        return len(codes) - 1

    def _fits(self, part: Any, i: int, found: dict[str, int]) -> bool:
        """Whether clause ``i`` matches a pattern; records the clauses of its letters."""
        if isinstance(part, tuple):
            if self.codes[i] != part[0] or not self._fits(part[1], self.left[i], found):
                return False
            return len(part) == 2 or self._fits(part[2], self.right[i], found)
        if isinstance(part, float):
            return self.number_kind.get(i, 0) == NUMBER_KINDS[repr(part)]
        if part == "t" and not self._is_truth(i, DEEPEST_TRUTH):
            return False
        if part in "kl" and i not in self.constant:
            return False
        return found.setdefault(part, i) == i

    def _is_truth(self, i: int, depth: int) -> bool:
        code = self.codes[i]
        if code not in (AND, OR) or not depth:
            return code == NOT
        return self._is_truth(self.left[i], depth - 1) and self._is_truth(self.right[i], depth - 1)

    def _build(self, result: Term, found: dict[str, int]) -> int:
        if isinstance(result, str):
            return found[result]
        if isinstance(result, float):
            return self.const(result)
        code, *parts = result
        return self.clause(code, *(self._build(part, found) for part in parts))
