"""The table of identities for folding.

An identity is two terms in prefix form, ``add a (neg b)`` and ``sub a b``, for all values of its
letters:

=========  ====================================================================
a b c      any value
k l        a constant, perhaps with a condition
p          a value >= 0 and not -0: ``abs``, ``square``, ...
t          a value 1 or 0: ``not``, and ``and`` and ``or`` of such
=========  ====================================================================

Those of ``EXACT`` hold bit for bit, for every float: NaN (all are equivalent), infinity, both zeros
and subnormal numbers. Those of ``FAST`` hold for real numbers, and state what they break.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from intervalvm.ops import CODE, OPS, ROWS
from intervalvm.ops.row import Values

LETTERS = "abcklpt"
Term = str | float | tuple[Any, ...]
"""A letter, a number, or the code of an operation and its operands."""


def term(text: str) -> Term:
    """The term written in prefix form."""
    words = re.findall(r"[()]|[^\s()]+", text)
    found, end = _read(words, 0)
    assert end == len(words), text
    return found


def _read(words: list[str], i: int) -> tuple[Term, int]:
    word = words[i]
    if word == "(":
        found, end = _read(words, i + 1)
        assert words[end] == ")", words
        return found, end + 1
    if word in OPS:
        operands, end = [], i + 1
        for _ in range(OPS[word].arity):
            operand, end = _read(words, end)
            operands.append(operand)
        return (CODE[word], *operands), end
    return (word if word in LETTERS else float(word)), i + 1


@dataclass(frozen=True)
class Identity:
    """``left`` is ``right``, if the condition ``holds`` for the constants k and l of ``left``.

    ``breaks`` says where the two differ, if anywhere.
    """

    left: str
    right: str
    holds: Callable[..., bool] = lambda **_: True
    breaks: str = ""

    @property
    def needs(self) -> str:
        """The condition in words."""
        return (self.holds.__doc__ or "").rstrip(".")


def _is_zero(k: Any) -> bool:
    """k is 0 or -0."""
    return bool(k == 0)


def _is_not_zero(k: Any) -> bool:
    """k is not 0, and may be NaN."""
    return bool(k != 0)


def _has_exact_reciprocal(k: Any) -> bool:
    """k and 1/k are powers of two."""
    inverse = 1 / k
    return bool(np.isfinite(inverse) and abs(math.frexp(float(k))[0]) == 0.5)


def _has_reciprocal(k: Any) -> bool:
    """1/k is a normal number."""
    inverse = abs(1 / k)
    return bool(np.isfinite(inverse) and inverse >= np.finfo(k.dtype).tiny)


WHOLE = tuple(op.name for op in ROWS if op.is_whole)
"""Operations whose values are whole numbers, infinite or NaN."""
NOT_NEGATIVE = frozenset(
    CODE[op.name] for op in ROWS if op.values in (Values.NOT_NEGATIVE, Values.TRUTH)
)
"""Operations whose values are >= 0 and not -0."""

EXACT = (
    Identity("copy a", "a"),
    Identity("neg (neg a)", "a"),
    Identity("abs (neg a)", "abs a"),
    Identity("abs p", "p"),
    Identity("square (neg a)", "square a"),
    Identity("square (abs a)", "square a"),
    *(
        Identity(f"{rounding} ({whole} {'a b'[: 2 * OPS[whole].arity - 1]})",
                 f"{whole} {'a b'[: 2 * OPS[whole].arity - 1]}")
        for rounding in ("floor", "ceil", "round")
        for whole in WHOLE
    ),
    Identity("not (neg a)", "not a"),
    Identity("not (abs a)", "not a"),
    Identity("not (not t)", "t"),
    Identity("add a -0", "a"),
    Identity("add -0 a", "a"),
    Identity("add p 0", "p"),
    Identity("add 0 p", "p"),
    Identity("add a (neg b)", "sub a b"),
    Identity("add (neg a) b", "sub b a"),
    Identity("sub a 0", "a"),
    Identity("sub -0 a", "neg a"),
    Identity("sub a (neg b)", "add a b"),
    Identity("sub (neg a) k", "sub (neg k) a"),
    Identity("mul a a", "square a"),
    Identity("mul a 1", "a"),
    Identity("mul 1 a", "a"),
    Identity("mul a -1", "neg a"),
    Identity("mul -1 a", "neg a"),
    Identity("mul (neg a) (neg b)", "mul a b"),
    Identity("mul (neg a) k", "mul a (neg k)"),
    Identity("mul k (neg a)", "mul (neg k) a"),
    Identity("div a k", "mul a (recip k)", _has_exact_reciprocal),
    Identity("div 1 a", "recip a"),
    Identity("div (neg a) (neg b)", "div a b"),
    Identity("div (neg a) k", "div a (neg k)"),
    Identity("div k (neg a)", "div (neg k) a"),
    Identity("mod a (neg b)", "mod a b"),
    Identity("mod a (abs b)", "mod a b"),
    Identity("compare (neg a) (neg b)", "compare b a"),
    *(
        identity
        for op, end in (("min", "inf"), ("max", "-inf"))
        for identity in (
            Identity(f"{op} a a", "a"),
            Identity(f"{op} a {end}", "a"),
            Identity(f"{op} {end} a", "a"),
            # on a tie the right operand is taken, which rules out (min a b) beside a
            Identity(f"{op} a ({op} a b)", f"{op} a b"),
            Identity(f"{op} b ({op} a b)", f"{op} a b"),
            Identity(f"{op} ({op} a b) b", f"{op} a b"),
        )
    ),
    Identity("and a a", "a"),
    Identity("and k a", "k", _is_zero),
    Identity("and k a", "a", _is_not_zero),
    Identity("or a a", "a"),
    Identity("or k a", "a", _is_zero),
    Identity("or k a", "k", _is_not_zero),
)  # fmt: skip
"""Identities of floats."""

_INFINITE = "where a is infinite or NaN the value was NaN"
_ZERO = "the sign of a zero"
_LAST_BITS = "last bits of the largest term; what overflows on the way"

FAST = (
    Identity("add a 0", "a", breaks="-0 + 0 was 0"),
    Identity("add 0 a", "a", breaks="0 + -0 was 0"),
    Identity("sub 0 a", "neg a", breaks="0 - 0 was 0, not -0"),
    Identity("neg (sub a b)", "sub b a", breaks="-(a - a) was -0"),
    Identity("sub a a", "0", breaks=_INFINITE),
    Identity("mul a 0", "0", breaks=f"{_INFINITE}; {_ZERO}"),
    Identity("mul 0 a", "0", breaks=f"{_INFINITE}; {_ZERO}"),
    Identity("div a a", "1", breaks=f"{_INFINITE}; 0 / 0 was NaN"),
    Identity("div a k", "mul a (recip k)", _has_reciprocal, breaks="last bits"),
    Identity("add k a", "add a k", breaks=""),
    Identity("mul k a", "mul a k", breaks=""),
    Identity("add (add a k) l", "add a (add k l)", breaks=_LAST_BITS),
    Identity("add (sub a k) l", "add a (sub l k)", breaks=_LAST_BITS),
    Identity("add (sub k a) l", "sub (add k l) a", breaks=_LAST_BITS),
    Identity("sub (add a k) l", "add a (sub k l)", breaks=_LAST_BITS),
    Identity("sub (sub a k) l", "sub a (add k l)", breaks=_LAST_BITS),
    Identity("sub (sub k a) l", "sub (sub k l) a", breaks=_LAST_BITS),
    Identity("sub l (add a k)", "sub (sub l k) a", breaks=_LAST_BITS),
    Identity("sub l (sub a k)", "sub (add l k) a", breaks=_LAST_BITS),
    Identity("sub l (sub k a)", "add a (sub l k)", breaks=_LAST_BITS),
    Identity("mul (mul a k) l", "mul a (mul k l)", breaks=_LAST_BITS),
    Identity("add (mul a b) (mul a c)", "mul a (add b c)", breaks=_LAST_BITS),
    Identity("sqrt (square a)", "abs a", breaks=_LAST_BITS),
    Identity("square (sqrt a)", "a", breaks="last bits; below 0 the value was NaN"),
    Identity("exp (ln a)", "a", breaks="last bits; below 0 the value was NaN"),
    Identity("ln (exp a)", "a", breaks=_LAST_BITS),
)
"""Identities of real numbers, used with ``fast`` after the exact ones."""

Rewrite = tuple[tuple[Any, ...], Term, Callable[..., bool]]
"""A pattern, its replacement, and the condition on constants."""


def _rewrites(identities: tuple[Identity, ...]) -> list[Rewrite]:
    sides = [(term(i.left), term(i.right), i.holds) for i in identities]
    return [(left, right, holds) for left, right, holds in sides if isinstance(left, tuple)]


def _keeps_operands(identity: Identity) -> bool:
    """Whether every part that may be undefined is on both sides."""
    sides = (identity.left, identity.right)
    left, right = (set(re.findall(r"\b[abcpt]\b", side)) for side in sides)
    return left <= right


def _of_numbers(rewrite: Rewrite) -> Rewrite:
    """The rewrite for constants that are not NaN, since one that it drops would be undefined."""
    left, right, holds = rewrite
    return (
        left,
        right,
        lambda **constants: not any(map(np.isnan, constants.values())) and holds(**constants),
    )


REWRITES = {
    "exact": _rewrites(EXACT),
    "defined": list(map(_of_numbers, _rewrites(tuple(filter(_keeps_operands, EXACT))))),
    "fast": _rewrites(EXACT + FAST),
}
"""Rewrites by what they keep: bits; of those, also the domain; real values."""


NAMED = (0.0, -0.0, 1.0, -1.0, math.inf, -math.inf)
NUMBER_KINDS = {repr(number): -2 - i for i, number in enumerate(NAMED)}
"""The kinds of constants in identities, by ``repr``; that of others is their code."""


@cache
def rewrites_for(code: int, left: int, right: int, related: bool, keep: str) -> tuple[Rewrite, ...]:
    """The candidate rewrites of a clause of ``code`` on operands of kinds ``left`` and ``right``.

    A kind is the code of the operand's operation, one of ``NUMBER_KINDS``, or -1 without an
    operand. ``related`` is set if the operands are one clause, or one reads the other.
    """
    return tuple(
        found for found in REWRITES[keep] if _may_fit(found[0], code, (left, right), related)
    )


def _may_fit(pattern: Any, code: int, kinds: tuple[int, int], related: bool) -> bool:
    if pattern[0] != code:
        return False
    parts = pattern[1:]
    if not related and len(parts) == 2 and (_is_in(*parts) or _is_in(*reversed(parts))):
        return False
    return all(_accepts(part, kind) for part, kind in zip(parts, kinds, strict=False))


def _is_in(letter: Term, part: Term) -> bool:
    """Whether one operand of a pattern is a letter that occurs in the other."""
    inside = part[1:] if isinstance(part, tuple) else (part,)
    return isinstance(letter, str) and letter in inside


def _accepts(part: Term, kind: int) -> bool:
    if isinstance(part, tuple):
        return bool(part[0] == kind)
    if isinstance(part, float):
        return kind == NUMBER_KINDS[repr(part)]
    if part in "kl":
        return kind == CODE["const"] or kind < -1
    if part == "p":
        return kind in NOT_NEGATIVE
    return part != "t" or kind in _TRUTHS


_TRUTHS = frozenset(CODE[op.name] for op in ROWS if op.is_truth or op.joins_truths)
