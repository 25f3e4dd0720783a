"""The identities as tables of integers, which a compiled pass can read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from intervalvm.compiler.identities import (
    EXACT,
    FAST,
    LETTERS,
    NOT_NEGATIVE,
    Condition,
    Identity,
    Term,
    term,
)
from intervalvm.ops import CODE, ROWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAMED = (0.0, -0.0, 1.0, -1.0, math.inf, -math.inf)
"""The numbers in identities."""
CONST = CODE["const"]
NO_KIND = len(ROWS) + len(NAMED)
KINDS = NO_KIND + 1
"""The kind of an operand: the code of its operation; that and the place in ``NAMED`` of a named
constant; ``NO_KIND`` without an operand."""
FIRST_NAMED = len(ROWS)
_TRUTHS = frozenset(CODE[op.name] for op in ROWS if op.is_truth or op.joins_truths)

WORDS = 16
"""Of a rewrite: below, where its parts are. A part is an operation and two leaves, or -1 and a leaf
in place of it; leaves are ``LETTERS``, then ``NAMED``, or -1."""
LEFT, RIGHT, CONDITION, NO_NAN, HEAD, FIRST, SECOND = 0, 3, 6, 7, 8, 9, 12
MOST_OF_ONE = 62
"""The most rewrites of one operation: the bits of a mask."""


class Keep(Enum):
    """What rewrites keep."""

    BITS = auto()
    DOMAIN = auto()
    """Of those that keep bits: also where a real function is defined."""
    REALS = auto()
    """Values of real numbers."""


@dataclass(frozen=True)
class Rewrites:
    """Identities as tables of integers, by the code of the operation that is replaced.

    Those of an operation are ``table[WORDS * first[code]]`` and on. Bit j of ``left[KINDS * code +
    kind]`` is set if the left operand of the j-th may be of that kind, likewise ``right``; and of
    ``unrelated[code]`` if the operands need not be one clause, and none need read the other.
    """

    table: NDArray[np.int64]
    first: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    unrelated: NDArray[np.int64]


@cache
def rewrites(keep: Keep) -> Rewrites:
    """The identities that keep bits, the domain, or real values only."""
    chosen = EXACT + FAST if keep is Keep.REALS else EXACT
    if keep is Keep.DOMAIN:
        chosen = tuple(filter(_keeps_operands, EXACT))
    sides: list[tuple[Any, Term, Condition]] = [
        (term(each.left), term(each.right), each.condition) for each in chosen
    ]
    of = [[side for side in sides if side[0][0] == code] for code in range(len(ROWS))]
    assert max(map(len, of)) <= MOST_OF_ONE
    first = np.cumsum([0, *map(len, of)])
    table = [_encoded(*side, no_nan=keep is Keep.DOMAIN) for group in of for side in group]
    left, right = (
        np.array([
            [_mask(_accepts(pattern[1:], side, kind) for pattern, *_ in group)
             for kind in range(KINDS)]
            for group in of
        ])
        for side in (0, 1)
    )  # fmt: skip
    unrelated = [_mask(not _is_related(*pattern[1:]) for pattern, *_ in group) for group in of]
    found = np.array(table).ravel(), first, left.ravel(), right.ravel(), np.array(unrelated)
    return Rewrites(*(part.astype(np.int64) for part in found))


def _mask(bits: Iterable[bool]) -> int:
    return sum(1 << j for j, bit in enumerate(bits) if bit)


def _keeps_operands(identity: Identity) -> bool:
    """Whether every part that may be undefined is on both sides."""
    sides = (identity.left, identity.right)
    left, right = (set(re.findall(r"\b[abcpt]\b", side)) for side in sides)
    return left <= right


def _encoded(pattern: Any, result: Term, condition: Condition, *, no_nan: bool) -> list[int]:
    words = [-1] * WORDS
    for at, part in zip((LEFT, RIGHT), pattern[1:], strict=False):
        words[at : at + 3] = _part(part)
    words[CONDITION], words[NO_NAN] = condition, no_nan
    if isinstance(result, tuple):
        words[HEAD], *parts = result
    else:
        parts = [result]
    for at, part in zip((FIRST, SECOND), parts, strict=False):
        words[at : at + 3] = _part(part)
    return words


def _part(part: Term) -> tuple[int, int, int]:
    if not isinstance(part, tuple):
        return -1, _leaf(part), -1
    op, *leaves = part
    return op, _leaf(leaves[0]), _leaf(leaves[1]) if len(leaves) > 1 else -1


def _leaf(leaf: Any) -> int:
    if isinstance(leaf, str):
        return LETTERS.index(leaf)
    return len(LETTERS) + list(map(repr, NAMED)).index(repr(leaf))


def _is_related(*parts: Term) -> bool:
    return len(parts) == 2 and (_is_in(*parts) or _is_in(*reversed(parts)))


def _is_in(letter: Term, part: Term) -> bool:
    """Whether one operand of a pattern is a letter that occurs in the other."""
    inside = part[1:] if isinstance(part, tuple) else (part,)
    return isinstance(letter, str) and letter in inside


def _accepts(parts: tuple[Term, ...], side: int, kind: int) -> bool:
    """Whether an operand of a pattern may be of a kind."""
    if side == len(parts):
        return kind == NO_KIND
    part = parts[side]
    if isinstance(part, tuple):
        return bool(part[0] == kind)
    if isinstance(part, float):
        return kind == FIRST_NAMED + list(map(repr, NAMED)).index(repr(part))
    if part in "kl":
        return kind == CONST or FIRST_NAMED <= kind < NO_KIND
    if part == "p":
        return kind in NOT_NEGATIVE
    return kind != NO_KIND and (part != "t" or kind in _TRUTHS)
